"""What a skill is as a program: its interface, how it is called, and the exam that it must pass."""

"""What runs inside the sandbox beside a skill: it starts programs, asks them, and tries tests on them.

These files are copied into the sandbox, so they import nothing but each other and pytest.
"""

"""Words that are used for the same thing, in general English, in programming and in a factory.

Written down by hand from common usage: a thesaurus of trades, and no knowledge of any one tool. A word may stand in
several groups (`order`: to sort, to buy).
"""

from __future__ import annotations

import functools

from tools.memory.embeddings.stemming import stem

_SAME = """
average mean
biggest largest highest maximum max greatest top
smallest lowest minimum min least fewest
delete remove erase drop strip discard omit
create make build generate produce construct
find search locate lookup detect
convert transform translate change turn
check verify validate test inspect examine
calculate compute determine evaluate derive
count tally number quantity many
total sum add aggregate altogether
difference subtract minus gap delta
ratio quotient fraction share proportion portion
percent percentage
string text sentence phrase
list array sequence series
dictionary dict mapping
table matrix grid
row record line
column field
key name label identifier
sort order rank arrange
split divide separate partition break
join concatenate merge combine unite
repeat duplicate copy
reverse backwards invert flip
group cluster bucket class category classify
filter select choose pick
compare comparison versus
equal same identical
unique distinct different
missing empty blank none null absent
nested recursive
pad fill
trim strip
round nearest
shorten truncate abbreviate clip
capital uppercase upper
lowercase lower
nearest closest
letter character
word token term
digit numeral
integer whole
power exponent
divisor factor
shuffle random
parse read decode interpret
format show display print write
encode encrypt cipher
hash digest checksum fingerprint
url link address
email mail
folder directory path
middle centre center median
deviation spread scatter dispersion variation variability
probability chance likelihood odds
limit bound boundary threshold
target goal aim
begin start first initial
end finish last stop final complete
length size long
width wide
weight mass heavy
distance far
time duration period
hour minute second
day date calendar
temperature heat hot
angle slope gradient
fast quick rapid soon
speed velocity rate pace
estimate predict forecast expect
error mistake fault failure
defect flaw fault nonconforming
scrap waste reject
rework repair fix mend
breakdown failure outage stoppage
downtime outage stop idle standstill
availability uptime running
utilisation utilization usage use occupancy busy
efficiency productivity effectiveness performance
throughput output production
demand requirement sales
customer client buyer
supplier vendor
item piece unit part product article
batch lot
machine equipment plant
tool cutter
station workplace workstation
worker employee operator staff labour people person
shift crew
absence absent absenteeism
accident injury incident
schedule plan timetable
job task operation
queue wait waiting backlog
delivery shipment shipping
late delay overdue tardy
deadline due
stock inventory warehouse store
purchase buy order procure
money cost price expense charge
profit margin gain earnings
revenue income turnover sales
investment invest capital
credit loan debt
wage salary pay
energy electricity power
setup changeover changing
lifetime life
maintenance service upkeep
bottleneck constraint slowest
quality good right
"""


@functools.cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """The groups of each stem that stands in one, each named by the stem of its first word."""
    found: dict[str, dict[str, None]] = {}
    for line in _SAME.strip().splitlines():
        group = [stem(word) for word in line.split()]
        for word in group:
            found.setdefault(word, {})[group[0]] = None
    return {word: tuple(groups) for word, groups in found.items()}

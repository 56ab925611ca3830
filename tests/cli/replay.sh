#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap replay: the verdict on recorded events, and recordings that lie. Needs no /dev/kvm.
. "$(dirname "$0")/tap.sh"

for name in clean missing table pcid five nothing; do
	"$WRITE_EVENTS" "$name" "$name.events" || exit 99
done

# ---- verdicts ----
try replay clean.events
check "what is flushed is verified" 0 out '^VERIFIED: 13 events, no findings\.' out 'stale-use +0 ok' out 'frame-reuse +0 - '
try replay missing.events
check "a missing flush is found" 1 out '1\. stale-use at 0x0000000000400008: CPU 1, event 12$' \
	out 'owed     CPU 1 may hold the 4K page at 0x0000000000400000, GPA 0x100000, rwxu, PCID 0' \
	out 'changed  at event 9 by CPU 0, thread 0x77; the operation has returned' out 'used     GPA 0x100008' \
	out '^NOT VERIFIED: 1 finding in 12 events\.'
try replay five.events
check "with five levels, too" 1 out 'stale-use at'
try replay table.events
check "a page table that is written too early" 1 out 'table-write at 0x0000000000004000' out 'may hold the entry of level 2 at 0x0000000000400000 that'
try replay pcid.events
check "a flush of the wrong PCID" 1 out 'PCID 2'
try replay nothing.events
check "without a change there is nothing to verify" 2 out 'Nothing could be verified'
try replay clean.events --disbelieve 2
check "with every second flush ignored there is a finding" 1 out 'stale-use +1 WRONG' out 'flushes ignored on purpose'

# ---- JSON ----
try replay missing.events --json
check "JSON lines" 1 out '"type":"tlb_finding".*"rule":"stale-use","event":12,"cpu":1,"address":"0x0*400008","used":"0x0*100008"' \
	out '"type":"tlb_verdict".*"ok":false.*"findings":1,"events":12,"cpus":2'
try replay clean.events --json
check "of a clean recording" 0 out '"ok":true.*"matches":\{"stale-use":0.*"not_seen":\{"unknown_tables":0'

# ---- events ----
try replay missing.events --list
check "events are listed with their numbers" 1 out '^ +9  CPU 0    store +address 0x4000  value 0x0  old 0x100027  thread 0x77  flags 0x1$' out ' 12  CPU 1    access' \
	out ' 1  CPU 0    page +address 0x1000  1 entries'
try replay missing.events --list --json
check "in JSON" 1 out '"type":"tlb_event".*"event":9,"cpu":0,"kind":"store","flags":1,"address":"0x0*4000"'

# ---- the beginning of a recording ----
try replay missing.events --until 11
check "without the last event there is no finding" 0 out 'VERIFIED: 11 events, no findings\. The file has more\.'
try replay missing.events --until 12 --record-events copy.events
check "a recording of a replay" 1
cmp -s missing.events copy.events && ok "is the recording" || not_ok "is the recording"
try replay missing.events --until 11 --record-events cut.events
try replay cut.events
check "a part of it is whole" 0 out 'VERIFIED: 11 events, no findings\.$'
try replay clean.events --disbelieve 2 --record-events disbelief.events
try replay disbelief.events
check "what was ignored stays so in the recording" 1 out 'stale-use +1 WRONG'
try replay missing.events --record-events no/such/folder
one_line "a recording that cannot be written" 2 'cannot write no/such/folder: No such file'

# ---- files that lie ----
size=$(wc -c <missing.events)
head -c $((size - 13)) missing.events >short.events
try replay short.events
one_line "a truncated file: where, and what can be done" 2 \
	"short.events: offset $((size - 13)): the file is truncated: .*\`kvmap replay --until 11\`"
try replay short.events --until 11
check "which can be done" 0 out 'VERIFIED: 11 events'
head -c 50 missing.events >short.events
try replay short.events
one_line "a file that ends in its header" 2 'offset 50: the file is truncated: it ends in its header'
cp missing.events bad.events
printf '\377' | dd of=bad.events bs=1 seek=72 conv=notrunc 2>/dev/null
try replay bad.events
one_line "an unknown event" 2 'bad.events: offset 72: unknown kind of event'
echo 'some text that is no recording' >text.events
try replay text.events
one_line "a text" 2 'text.events: offset 0: not a file of TLB events'
try replay missing.file
one_line "no file" 2 'missing.file: No such file'
try replay
check "FILE is missing" 2 err 'FILE is missing'
try replay missing.events --until 0
check "a number that is none" 2 err '--until .0. is not a number from 1 on'
try replay missing.events --disbelieve 4294967296
check "one that is too large" 2 err '--disbelieve .4294967296. is not a number from 1 to 4294967295'
finish

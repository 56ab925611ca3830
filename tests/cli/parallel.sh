#!/bin/sh
# SPDX-License-Identifier: MIT
# CPUs at work at the same time: random sequences with the verifier at barriers. ROUNDS=100 makes more of them.
. "$(dirname "$0")/tap.sh"
rounds=${ROUNDS:-2}

# sequence CPUS SEED COUNT: rounds of random operations on that many CPUs, each verified.
sequence() {
	round=0
	while [ $round -lt "$rounds" ]; do
		echo parallel
		cpu=0
		while [ $cpu -lt "$1" ]; do
			echo "on cpu $cpu stress $(($2 + 100 * round + cpu)) $3"
			cpu=$((cpu + 1))
		done
		printf 'end\nverify\n'
		round=$((round + 1))
	done
	echo stress_free
	echo 'expect refused vfree 0xffffc90000000000'
}

for policy in strict lazy eager; do
	for cpus in 1 2 4 8; do
		sequence $cpus $((cpus * 1000)) $((48 / cpus)) >random.kvs
		try run random.kvs --cpus $cpus --policy $policy --json
		tail -n 1 out >last
		check "random sequences on $cpus CPUs are verified under $policy" 0 last '"ok":true,"findings":0'
	done
done
sequence 4 77 20 >random.kvs
try run random.kvs --cpus 4 --debug-slab
check "and with kmalloc's debugging" 0 out 'VERIFIED'
try run random.kvs --cpus 4 --memory 8M
check "and where memory is short" 0 out 'VERIFIED'


# Each CPU frees what is its own, and what CPUs have exchanged is freed once.
cat >free.kvs <<'END'
parallel
  stress 1 50
  on cpu 1 stress 2 50
  on cpu 2 stress 3 50
end
parallel
  stress_free
  on cpu 1 stress_free
  on cpu 2 stress 9 30
end
parallel
  stress_free
  on cpu 1 stress_free
  on cpu 2 stress_free
end
verify
stress_free
END
for try in 1 2 3 4 5; do
	try run free.kvs --cpus 3
	[ "$status" = 0 ] || break
done
check "stress_free on several CPUs at the same time" 0 out '17  stress_free +no objects freed' out 'VERIFIED'

# Blocks that a CPU frees are another CPU's at once: each variable has what its own line made.
{
	printf 'repeat 4\nparallel\n'
	for i in $(seq 100); do
		for cpu in 0 1 2 3; do printf 'on cpu %d v%d_%d = kmalloc 64K\non cpu %d kfree v%d_%d\n' $cpu "$i" $cpu $cpu "$i" $cpu; done
	done
	printf 'end\nverify\nend\n'
} >passed.kvs
try run passed.kvs --cpus 4 --memory 32M
check "a freed block that another CPU allocates at once is the other's" 0 out 'VERIFIED'

# CPU 0 gets what CPU 1 keeps, idle or at work.
for work in '' 'on cpu 1 pair kmalloc 64 2000'; do
	{
		for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo "on cpu 1 a$i = vmalloc 32K"; done
		for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo "on cpu 1 vfree a$i"; done
		printf 'parallel\n%s\nb = vmalloc 3900K\nend\nverify\n' "$work"
	} >kept.kvs
	for policy in strict lazy eager; do
		try run kept.kvs --memory 8M --cpus 2 --policy $policy
		check "frames that another CPU keeps are drained before a refusal ($policy, ${work:-idle})" 0 out 'VERIFIED'
	done
done

try run "$IMAGES/parallel.kvs" --json
check "faults and results of four CPUs are told apart" 0 out '"type":"verdict".*"ok":true'

# The operation that faults is the one that is blamed, whatever the others report meanwhile.
cat >blame.kvs <<'END'
a = vmalloc 4K
parallel
  on cpu 1 read a+4K
  on cpu 2 expect fault guard a+4K
  on cpu 3 expect fault null 0
  read a
end
END
try run blame.kvs --cpus 4
check "of three faults the one that nobody expected is the finding" 1 out 'blame.kvs:3: on cpu 1 read a\+4K' out '3 .*2 guard|2 as expected'

echo 'parallel
on cpu 3 a = vmalloc 4K
end' >beyond.kvs
try run beyond.kvs --cpus 2
check "a CPU that is not there is an error of the script in a block, too" 2 err 'beyond.kvs:2:8: the guest has 2 CPUs'
# exits: exits of the last try's guest.
exits() {
	sed -n 's/.*"exits":\([0-9]*\).*/\1/p' out | head -n 1
}
cat >jitter.kvs <<'E2'
cpus 4
parallel
  on cpu 0 stress 1 300
  on cpu 1 stress 2 300
  on cpu 2 stress 3 300
  on cpu 3 stress 4 300
end
stress_free
E2
try run jitter.kvs --json
without=$(exits)
for seed in 1 2 3; do
	try run jitter.kvs --jitter $seed --json
	check "with --jitter $seed all is verified" 0 out '"ok":true'
	[ "$(exits)" -gt $((without + 20)) ] && ok "its CPUs were interrupted" || not_ok "its CPUs were interrupted"
done
try run jitter.kvs --jitter 4 --debug-locks
check "--jitter with checks of locks" 0
try run jitter.kvs --jitter x
one_line "--jitter wants a number" 2 '--jitter'
finish

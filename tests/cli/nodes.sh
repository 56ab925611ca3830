#!/bin/sh
# SPDX-License-Identifier: MIT
# --nodes: memory and CPUs in several nodes; what is asked of a node lies there.
. "$(dirname "$0")/tap.sh"

cat >nodes.kvs <<E2
a = vmalloc_node 1M 1
b = vzalloc_node 64K 2
on cpu 3 c = vmalloc 256K
k = kmalloc_node 3000 2
l = kmalloc_node 16K 1
fill a seed 1
check a
verify
E2
try run nodes.kvs --nodes 3 --cpus 4 --dump nodes.core
check "a guest of three nodes is verified" 0 out 'nodes +3, their memory' out 'VERIFIED'
check "the picture has the node of each frame" 0 out '^  The node of each column' out '^      .0*.1*.*2*.$' out '^  a = .*, on node 1' out '^  b = .*, on node 2' out '^  k = 0xffff888.* an object of .*, on node 2$' out '^  l = 0xffff888.* a block of .*, on node 1$'
try proc nodes.core buddyinfo
check "buddyinfo by node" 0 out '^Node 0, zone +DMA ' out '^Node 0, zone +DMA32 ' out '^Node 1, zone +DMA32 ' out '^Node 2, zone +DMA32 '
[ "$(wc -l <out)" = 4 ] && ok "no node has more zones than it has memory of" || not_ok "no node has more zones"
try proc nodes.core vmallocinfo
check "vmallocinfo by node: asked for, and that of the CPU" 0 out ' pages=256 .*vmalloc.* N1=256$' out ' pages=16 .* N2=16$' out ' pages=64 .* N2=64$'

# Objects, not whole frames: as many in a page as their class has, and on the node.
cat >objects.kvs <<E2
a = kmalloc_node 64 1
b = kmalloc_node 64 1
on cpu 1 c = kmalloc_node 64 0
kfree b
d = kmalloc_node 3000 1
e = kmalloc_node 64 1
verify
E2
try run objects.kvs --nodes 2 --cpus 2 --memory 64M --json
check "kmalloc_node gives objects" 0 out '"ok":true'
object() {
	sed -n "s/.*\"type\":\"operation\".*\"line\":$1,.*\"result\":\"0xffff888\([0-9a-f]*\)\".*/0x\1/p" out
}
half=$((32 << 20))
[ $(($(object 1) + 64)) = $(($(object 2))) ] && [ $(($(object 1))) -ge $half ] && [ $(($(object 3))) -lt $half ] && [ $(($(object 5))) -ge $half ] && [ $(($(object 6))) -ge $half ] &&
	ok "on the node, and two in one page" || not_ok "on the node, and two in one page ($(object 1) $(object 2) $(object 3) $(object 5) $(object 6))"

# more than one node has
cat >full.kvs <<E2
a = vmalloc_node 7M 1
b = vmalloc_node 7M 1
on cpu 1 expect refused c = __vmalloc 7M GFP_KERNEL|__GFP_THISNODE
d = vmalloc_node 7M 1
E2
try run full.kvs --nodes 2 --cpus 2 --memory 32M --dump full.core
check "a node that is full: the others help, unless it is to be that node" 0
try run full.kvs --nodes 2 --cpus 2 --memory 32M --json
elsewhere=$(sed -n 's/.*"type":"verdict".*"fallback_frames":\([0-9]*\).*/\1/p' out)
try proc full.core vmallocinfo
cp out vmallocinfo
total() {
	sed -n "s/.* N$1=\\([0-9]*\\).*/\\1/p" vmallocinfo | awk '{ n += $1 } END { print n + 0 }'
}
[ $(($(total 0) + $(total 1))) = 5376 ] && [ "$(total 1)" -gt 3584 ] && [ "$elsewhere" = "$(total 0)" ] && ok "first what there is, then of the others, and the verdict counts these" || not_ok "first what there is, then of the others"
for bad in 0 9 x; do
	try run nodes.kvs --nodes "$bad"
	check "--nodes $bad" 2 err 'not a number from 1 to 8'
done
try run nodes.kvs --nodes 8 --memory 8M
check "eight nodes of a megabyte" 2
finish

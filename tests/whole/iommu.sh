#!/bin/sh
# The IOMMU: a small guest that drives it checks what a device meets, in both models and on QEMU, whose words must be the same.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest iommu
for model in functional inorder; do
    timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -s iommu.present=true --max-cycles 1G -o $model iommu.elf \
        >out 2>$model.said </dev/null
    status=$?
    stats_add_up $model/stats.json
    [ $status = 33 ] && ! grep -v '^ok ' $model.said && [ -s $model.said ] ||
        complain "$model: status $status: $(grep -v '^ok ' $model.said | head)"
done
cmp functional.said inorder.said || complain "the models differ"
# What devices ask for, snoops and tables included, against the naive models of caches and DRAM.
timeout 60 "$LK" run -q -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=64MiB -s iommu.present=true --trace trace -o traced \
    iommu.elf >out 2>traced.said </dev/null
"$LK_BUILD/tests/naive_counts" trace traced/stats.json traced/config.effective.json >counts 2>&1 || complain "$(cat counts)"
grep -q ' [1-9][0-9]* lines of devices' counts || complain "no lines of devices: $(cat counts)"
command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386: not compared"; finish; }
timeout 100 qemu-system-i386 -M q35 -m 64M -display none -monitor none -serial none -no-reboot -debugcon file:qemu.said \
    -icount shift=10,sleep=off -device isa-debug-exit,iobase=0xf4,iosize=4 -device intel-iommu,aw-bits=48 -device edu,addr=3,dma_mask=0xffffffffffffffff \
    -kernel iommu.elf -append qemu 2>qemu.err
status=$?
[ $status = 33 ] || complain "QEMU: status $status: $(grep -v '^ok ' qemu.said | head) $(cat qemu.err)"
cmp functional.said qemu.said || complain "QEMU checked something else"
finish

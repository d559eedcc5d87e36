#!/bin/sh
# The bundled guest under load, with 24 MiB to 2 GiB of RAM, by either kernel: many processes with random address spaces
# (each against a model), more processes than there is memory for, a fork bomb under a limit. Nothing is left behind: no page,
# no object of a slab.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# load KERNEL MIB COMMAND-LINE NAME: the console goes to NAME, the run's status to NAME.status
load() {
    "$LK" run -q -s cpu.model=functional -s "machine.ram=$2MiB" -a "$3" -o "$4.d" "$LK_BUILD/guest/kernel-$1.elf" >"$4.raw" 2>"$4.err" </dev/null
    echo $? >"$4.status"
    tr -d '\r' <"$4.raw" >"$4"
}

for kernel in i386 i386-pae; do
    for mib in 24 64 1024 2048; do
        load $kernel $mib "quiet lab=stress stress.processes=6 stress.steps=700 stress.seed=$mib" $kernel.$mib.stress &
        load $kernel $mib "quiet lab=forkbomb" $kernel.$mib.forkbomb
        wait
        for lab in stress forkbomb; do
            run=$kernel.$mib.$lab
            [ "$(cat $run.status)" = 0 ] && grep -q "^lab $lab: passed$" $run || complain "$run: status $(cat $run.status): $(cat $run $run.err)"
            grep -q 'not given back' $run && complain "$run: $(cat $run)"
        done
    done
    for mib in 24 64; do
        load $kernel $mib "init=storm storm.kib=$((mib * 32))" $kernel.$mib.storm &
    done
    wait
    for mib in 24 64; do
        run=$kernel.$mib.storm
        [ "$(cat $run.status)" = 0 ] && [ "$(grep -c '^storm: .*: ok$' $run)" = 3 ] && grep -q '^Out of memory: Killed process' $run &&
            grep -q '^leaked pages: 0$' $run || complain "$run: status $(cat $run.status): $(tail -n 20 $run; cat $run.err)"
        grep -q 'not given back' $run && complain "$run: $(grep 'not given back' $run)"
    done
done
finish

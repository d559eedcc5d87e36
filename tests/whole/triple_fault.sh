#!/bin/sh
# Every way in which a run can end (guests/ends.c): its exit status, what is said, and that statistics are written.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest ends

# ends STATUS WAY OPTION...: what is said goes to said.MODEL
ends() {
    wanted=$1 way=$2
    shift 2
    for model in functional inorder; do
        rm -rf out.d
        timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -a "$way" -o out.d --max-cycles 3M "$@" \
            ends.elf >out 2>said.$model </dev/null
        status=$?
        [ $status = "$wanted" ] || complain "$way, $model: status $status, wanted $wanted: $(cat said.$model)"
        [ -s out ] && complain "$way, $model: wrote to stdout"
        [ -s out.d/stats.json ] && [ -s out.d/stats.txt ] && stats_add_up out.d/stats.json ||
            complain "$way, $model: no statistics"
    done
}

# says EXTENDED-REGEX...: a line of what was last said, in either model
says() {
    for regex in "$@"; do
        for model in functional inorder; do
            grep -Eq -- "$regex" said.$model || complain "$way, $model: no line like: $regex; but: $(cat said.$model)"
        done
    done
}

says_nothing() {
    [ -s said.inorder ] && complain "$way: says $(cat said.inorder)"
}

registers='eip [0-9a-f]{8}  eflags [0-9a-f]{8}'
ends 81 no_idt
says '^triple fault in cycle [0-9]+' '#UD at 0008:' '#DF error 0000' "$registers" '^code at cs:eip: 0f 0b ' 'paging is off' \
    'idt 00000000 limit 0000'
ends 81 nowhere
says '#PF error 0000 cr2 dead0000 at 0008:dead0000' '#DF' "$registers" 'code at cs:eip: not mapped' \
    'page walk of dead0000: PDE\[890\] at [0-9a-f]+ = 00000000 \(not present\)'
ends 81 nowhere_physical
says '#UD at 0008:dead0000' '#DF' "$registers" 'paging is off'
ends 81 bad_stack
says '#UD at' '#PF error 0002 cr2 deacfffc' '#DF' 'esp dead0000' 'page walk of deacfffc: PDE\[890\]'
[ "$(grep -c 'page walk of deacfffc' said.inorder)" = 1 ] || complain "bad_stack: the same walk more than once"
ends 81 idt_unmapped
says '#PF error 0000 cr2 [0-9a-f]+18 at' '#PF error 0000 cr2 [0-9a-f]+70 at' '#DF' 'PTE\[[0-9]+\] at .*not present'
ends 81 no_memory
says '#PF error 0000' '#DF' 'code at cs:eip: not mapped'

for way in loop loop_stores loop_string loop_faults loop_ticks; do
    ends 80 $way
    says '^lookaside: stopped in cycle 30000[0-9][0-9]: the limit'
    ends 80 $way --max-cycles 100G --max-insns 12345
    [ "$(count out.d/stats.json cpu0.instructions)" = 12345 ] ||
        complain "$way: $(count out.d/stats.json cpu0.instructions) instructions"
done
ends 80 loop --max-cycles 1
ends 80 loop --max-insns 1
[ "$(count out.d/stats.json cpu0.instructions)" = 1 ] || complain "not one instruction"

# A signal: the statistics are written all the same. (A shell's background jobs ignore SIGINT; python's do not.)
for signal in SIGTERM:143 SIGINT:130; do
    rm -rf out.d
    python3 - "${signal%:*}" "$LK" run -q -s machine.ram=64MiB -a loop -o out.d ends.elf >out 2>err <<'END'
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
run = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
time.sleep(0.5)
run.send_signal(getattr(signal, sys.argv[1]))
sys.exit(run.wait() % 256)
END
    status=$?
    [ $status = "${signal#*:}" ] || complain "$signal: status $status: $(cat err)"
    [ -s out.d/stats.json ] && stats_add_up out.d/stats.json || complain "$signal: no statistics"
done

ends 82 halt
says '^lookaside: the guest halted for good in cycle [0-9]+'
ends 80 halt_masked
ends 0 exit_0
says_nothing
ends 42 exit_42
says_nothing
ends 7 port_f4
says_nothing
ends 82 panic
says "^lookaside: the guest panicked in cycle [0-9]+: the guest's last words\$"
ends 82 panic_nowhere
says '^lookaside: the guest panicked in cycle [0-9]+: '
ends 82 panic_long
says '^lookaside: the guest panicked in cycle [0-9]+: x{100}'
ends 0 power_off
says_nothing
ends 0 reset
says '^lookaside: the guest reset the machine'
ends 0 log
says '^logged$'
ends 0 log_nowhere
ends 0 unknown_markers
says_nothing
finish

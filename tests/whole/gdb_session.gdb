# What gdb sees of the bundled guest, by the stub at $port; nothing in it depends on time. tests/whole/gdb.sh runs it on
# lookaside and on QEMU, in the folder where the guest was built.
set pagination off
set confirm off
set width 0
set style enabled off
eval "target remote 127.0.0.1:%d", $port

printf "---- a hardware breakpoint before paging has mapped it\n"
hbreak start_kernel
continue
backtrace
info registers eax ecx edx ebx esp ebp esi eip cs ss ds es fs gs
printf "cr0 %x\n", (unsigned)$cr0
x/6i $pc
x/8xw $sp
stepi
info registers eip esp
stepi 7
info registers eip esp ebp
delete

printf "---- a page fault of the kernel\n"
break do_page_fault
continue
backtrace 1
printf "cr2 %x, error code %x\n", (unsigned)$cr2, error_code
p regs->ip
info symbol regs->ip
up 6
info frame
finish
delete

printf "---- what is mapped\n"
monitor info mem

printf "---- a watchpoint: old and new value, and who writes\n"
watch nr_switches
continue
backtrace 1
delete

printf "---- user code, and the kernel on its behalf\n"
add-symbol-file user/init.debug
tbreak touch_heap
continue
info registers cs ss
backtrace
x/4i $pc
next
info locals
tbreak sys_brk
continue
backtrace 1

printf "---- memory is written, by the kernel's name and by the user's address\n"
set $saved = nr_switches
set var nr_switches = 4242
p nr_switches
set var nr_switches = $saved
set $bytes = *(unsigned long long *)$sp
set var *(unsigned long long *)$sp = 0x1122334455667788
x/8xb $sp
set var *(unsigned long long *)$sp = $bytes

printf "---- and what is not mapped is no memory\n"
x/xw 0x10

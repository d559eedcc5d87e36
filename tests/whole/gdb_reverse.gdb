# Back and forth in the bundled guest, by the stub at $port. Each `where` is a line, with the number of a place, that tests/whole/gdb_reverse.sh compares
# with those of a run that only went forward: this session with $is_straight.
set pagination off
set confirm off
set width 0
eval "target remote 127.0.0.1:%d", $port

define where
    printf "place %d: insns %d cycles %d eip %x esp %x eax %x ecx %x eflags %x cr2 %x switches %d\n", $arg0, $insns, $cycles, (unsigned)$eip, (unsigned)$esp, (unsigned)$eax, (unsigned)$ecx, (unsigned)$eflags, (unsigned)$cr2, nr_switches
end

hbreak start_kernel
continue
where 0
break do_page_fault
continue
where 1
stepi
where 2
stepi
where 3
stepi 20
where 22
delete
watch nr_switches
continue
where 101
continue
where 102
continue
where 103
if $is_straight
    kill
    quit
end

# The latest writes: gdb stands before each, and the step after that is the write.
reverse-continue
reverse-continue
stepi
where 102
reverse-continue
reverse-continue
stepi
where 101
delete

break do_page_fault
reverse-continue
where 1
stepi 2
where 3
reverse-stepi
where 2
reverse-stepi
where 1
stepi 22
where 22
reverse-stepi 21
where 2
delete
hbreak start_kernel
reverse-continue
where 0
reverse-continue
printf "insns %d\n", $insns
delete

# What is written here is what was there; another future, which is the same.
break do_page_fault
continue
where 1
set var nr_switches = nr_switches
delete
watch nr_switches
continue
where 101
reverse-continue
stepi
where 101
delete
continue

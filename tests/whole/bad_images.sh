#!/bin/sh
# `run` with what is no guest: one line on stderr that names the file, status 65 or 66, nothing on stdout, no crash
# under sanitizers either. The images are the bundled guest with a few bytes changed.
set -u
failures=0

# expect STATUS WORD FILE [ARGUMENT...]
expect() {
    status=$1 word=$2 file=$3
    shift 3
    for program in "$LK" "${LK_ASAN:-}"; do
        [ -x "$program" ] || continue
        timeout 60 "$program" run "$file" -o out.d "$@" >out 2>err </dev/null
        got=$?
        if [ "$got" != "$status" ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$word" err || [ -s out ]; then
            echo "$program run $file $*: status $got, wanted $status and one line with \"$word\":"
            cat err
            failures=$((failures + 1))
        fi
    done
}

# patched NAME OFFSET BYTES: the bundled guest with BYTES (as printf has them) at OFFSET
patched() {
    cp "$LK_KERNEL" "$1"
    chmod u+w "$1"
    # shellcheck disable=SC2059 # the bytes are escapes
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>dd.log
}

# ELF32: where the header's fields lie, and those of the first program header
e_class=4 e_data=5 e_type=16 e_machine=18 e_entry=24 e_phoff=28 e_phentsize=42 e_phnum=44
p_offset=56 p_paddr=64 p_filesz=68 p_memsz=72

mkdir folder
: >empty
echo 'int main(void);' >text.c
gzip -c text.c >text.gz
cp "$LK" program
head -c 4000000 /dev/zero >large

expect 66 "none.elf: cannot read: No such file" none.elf
expect 66 "is a directory" folder
expect 66 "regular file" /dev/null
expect 65 "is empty" empty
expect 65 "found a text file" text.c
expect 65 "found a gzip archive" text.gz
expect 65 "for x86-64, and no multiboot header" program

for size in 3 16 40 52 60 100 200; do
    head -c $size "$LK_KERNEL" >cut.elf
    expect 65 "no multiboot header" cut.elf
done
size=$(wc -c <"$LK_KERNEL")
head -c 5000 "$LK_KERNEL" >cut.elf
expect 65 "truncated?" cut.elf
head -c 40000 "$LK_KERNEL" >cut.elf
expect 65 "truncated?" cut.elf

patched bad.elf $e_class '\002' && expect 65 "ELF64 executable for i386" bad.elf
patched bad.elf $e_data '\002' && expect 65 "big-endian" bad.elf
patched bad.elf $e_type '\001' && expect 65 "object file" bad.elf
patched bad.elf $e_machine '\050' && expect 65 "for ARM" bad.elf
patched bad.elf $e_entry '\000\000\000\000' && expect 65 "entry point 0" bad.elf
patched bad.elf $e_phoff '\360\377\377\377' && expect 65 "beyond the end of the file" bad.elf
patched bad.elf $e_phentsize '\001\000' && expect 65 "1 bytes each" bad.elf
head -c 100000 "$LK_KERNEL" >short.elf # its table cannot have so many
LK_KERNEL=short.elf patched bad.elf $e_phnum '\376\377' && expect 65 "65534 of them" bad.elf
patched bad.elf $e_phnum '\000\000' && expect 65 "no program headers" bad.elf
patched bad.elf $p_offset '\377\377\377\377' && expect 65 "beyond the end of the file" bad.elf
patched bad.elf $p_filesz '\377\377\377\377' && expect 65 "at most as many as in memory" bad.elf
patched bad.elf $p_memsz '\000\000\100\000' && expect 65 "overlaps" bad.elf
patched bad.elf $p_memsz '\377\377\377\377' && expect 65 "not usable RAM" bad.elf
patched bad.elf $p_paddr '\000\000\012\000' && expect 65 "not usable RAM; allowed: 0-0x9fbff, 0x100000-" bad.elf
patched bad.elf $p_paddr '\000\360\377\377' && expect 65 "not usable RAM" bad.elf

# A Linux kernel and a PVH kernel, made of a header each; the unit tests have every field of them.
head -c 8192 /dev/zero >linux.img
at() { printf "$2" | dd of=linux.img bs=1 seek="$1" conv=notrunc 2>dd.log; }
at 497 '\001' && at 500 '\300\001' && at 510 '\125\252\353\146HdrS\017\002' && at 529 '\001' && at 600 '\000\000\020' && at 609 '\020'
head -c 600 linux.img >cut.img && expect 65 "cut off" cut.img
head -c 8000 linux.img >cut.img && expect 65 "truncated?" cut.img
expect 64 "bytes; allowed by this guest: at most 0" linux.img -a quiet
expect 65 "no 64-bit entry" linux.img --boot linux64
expect 65 "no PVH entry" linux.img --boot pvh
expect 65 "HdrS" "$LK_KERNEL" --boot linux
expect 64 "no boot protocol; allowed: auto" linux.img --boot linux16
expect 65 "no boot sector" "$LK_KERNEL" --boot sector
expect 64 "only for flat images" "$LK_KERNEL" --load-at 0x200000
expect 64 "is no address" text.c --boot flat32 --load-at 4G
expect 65 "allowed in real mode" text.c --boot flat16 --load-at 0x100000
expect 65 "not usable RAM" text.c --boot flat32 --load-at 0xa0000
expect 64 "told nothing" text.c --boot flat32 -a text

expect 66 "no_module: cannot read" "$LK_KERNEL" --initrd no_module
expect 65 "no room" "$LK_KERNEL" -s machine.ram=4MiB --initrd large

# Nothing in the first kilobyte can crash the loader: whatever it holds, the guest is refused or runs to a limit.
offset=0
while [ $offset -lt 180 ]; do
    patched fuzzed.elf $offset '\377\377\377\377'
    timeout 60 "${LK_ASAN:-$LK}" run fuzzed.elf -o out.d --max-cycles 1000 >out 2>err </dev/null
    got=$?
    case $got in
    65 | 80 | 81) ;;
    *)
        echo "fuzzed at $offset: status $got"
        cat err
        failures=$((failures + 1))
        ;;
    esac
    offset=$((offset + 4))
done

[ "$size" -gt 40000 ] && [ $failures = 0 ]

#!/bin/sh
# The bundled guest's screen and keyboard: the VGA shows the same text as COM1, and what is typed reaches a program.
# tests/guest/console_on_qemu.py does the same on QEMU.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

"$LK" run -q --vga-text -s machine.ram=64MiB -a console=tty0 -o screen demo >text 2>err </dev/null || complain "status $?: $(cat err)"
python3 - <<'END' || complain "the screen has not what COM1 has"
text = open("text", encoding="latin-1").read().replace("\r\n", "\n")
end = text.index("Power down.\n") + len("Power down.\n")
console, screen = text[:end], [line.rstrip() for line in text[end:].split("\n")]
rows = [line[i:i + 80].rstrip() for line in console.split("\n") for i in range(0, max(len(line), 1), 80)]
assert screen[:24] == rows[-25:-1], (screen, rows[-25:])
END
"$LK" run -q --vga-text -s machine.ram=64MiB -o dark demo >text 2>err </dev/null || complain "status $?: $(cat err)"
[ "$(grep -c '^Power down' text)" = 1 ] || complain "without console=tty0 the screen shows something"

printf 'Hello wx\bORLD! (_~)\n\n"#|\n\004' | "$LK" run -q --keyboard -s machine.ram=64MiB --max-cycles 2G -a 'quiet init=cat' -o typed demo \
    >text 2>err || complain "typed: status $?: $(cat err)"
tr -d '\r' <text >lines
# What is typed ahead is shown at once; what the program writes of it comes when it has read it.
for line in 'Hello wORLD! (_~)' '"#|'; do
    [ "$(grep -acF -- "$line" lines)" -ge 1 ] || complain "not read: $line: $(cat lines)"
done
grep -q '^Power down.$' lines || complain "Ctrl-D did not end the program: $(cat lines)"
finish

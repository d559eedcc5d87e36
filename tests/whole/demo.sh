#!/bin/sh
# What ./dev demo runs where nobody can type: the boot to the root file system, a tour, power off, in the timed model.
. "$LK_SOURCE/tests/whole/lib.sh"
image=$LK_BUILD/guest/root-i386.ext2
[ -r "$image" ] || { echo "no root file system for the guest: tools/root_image says why"; exit 77; }
md5sum "$image" >before
timeout 300 "$LK" run demo --disk "$image,snapshot" -a "root=/dev/hda script=/etc/tour" -o out >text 2>err </dev/null ||
    complain "status $?"
md5sum -c --quiet before || complain "the image has changed"
tr -d '\r' <text >lines
while read -r line; do
    grep -qx -- "$line" lines || complain "no line: $line"
done <<END
# uname -a
# cat /proc/buddyinfo
256+0 records out
1048576 /tmp/zeroes
$(seq 1 20000 | md5sum | sed 's/-$/-/')
leaked pages: 0
Power down\\.
END
grep -q 'instructions .* of the host' err || complain "no summary: $(cat err)"
stats_add_up out/stats.json
finish

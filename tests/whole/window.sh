#!/bin/sh
# The window under an X server: keys go to where they should, and its pictures are those that a run without a display
# makes from the same keys; neither changes what is counted.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
tab=$(printf '\t')
enter=$(printf '\r')

# still NAME KEYS: NAME.png, made without a display in cycle 20 M after these keys; the run's statistics in NAME.d
still() {
    env -u DISPLAY timeout 60 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" --screenshot "$1.png@20M" --view-keys "$2" -o "$1.d" \
        "$LK_KERNEL" >"$1.said" 2>&1 </dev/null || complain "$1: status $?: $(cat "$1.said")"
    [ -s "$1.png" ] || complain "$1: no picture"
}

still plain ""
still fault f
still space "f${tab}"
still dma "f${tab}${tab}vh"
still found "f/do_page_fault${enter}"
still help "f?"
# By single instructions, cycles, walks and interrupts, which end in the middle of what the core fetches at once; to the
# guest's end, where no more comes.
still steps "isss.sws..ssss"
still mixed "fwsnwwis.srsw"
still over "iiiiiii.sssdiiiiiiim"
stills="plain fault space dma found help steps mixed over"
for one in $stills; do
    for other in $stills; do
        [ $one = $other ] || ! cmp -s $one.png $other.png || complain "$one and $other are the same picture"
    done
    # Stopped at an event or not, a run counts the same.
    cmp plain.d/stats.json $one.d/stats.json || complain "$one: other statistics"
done
still again "f${tab}"
cmp space.png again.png || complain "the same keys, another picture"

# typed NAME KEYS OPTION...: a window without a display, in which these keys are typed; the run ends in NAME.d
typed() {
    name=$1 keys=$2
    shift 2
    SDL_VIDEODRIVER=dummy timeout 60 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" --view --view-keys "$keys" -o "$name.d" "$@" \
        "$LK_KERNEL" >"$name.said" 2>&1 </dev/null || complain "$name: status $?: $(cat "$name.said")"
}

# No step goes beyond what is due: a checkpoint, the end.
typed due nnnnnnnwwq --checkpoint-dir due --checkpoint-at 25000
timeout 60 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" -o straight.d --checkpoint-dir straight --checkpoint-at 25000 --max-cycles 40000 \
    "$LK_KERNEL" >straight.said 2>&1 </dev/null
[ "$(ls due)" = "$(ls straight)" ] && [ "$(ls due | wc -l)" = 1 ] || complain "checkpoints of steps: $(ls due straight)"
typed limit "fffffmdwq" --max-cycles 60000
[ "$(count limit.d/stats.json cpu0.cycles)" -lt 60500 ] || complain "steps go beyond --max-cycles: $(count limit.d/stats.json cpu0.cycles)"

timeout 60 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" --record film@5M -o film.d "$LK_KERNEL" >/dev/null 2>said </dev/null ||
    complain "--record: status $?: $(cat said)"
cmp plain.d/stats.json film.d/stats.json || complain "a film changes the statistics"
[ "$(find film -name '*.png' | wc -l)" -gt 3 ] || complain "only these pictures of a film: $(ls film)"

command -v Xvfb >/dev/null && command -v xdotool >/dev/null || { echo "no Xvfb or xdotool: no window"; finish; }
Xvfb -displayfd 3 -screen 0 1400x900x24 -nolisten tcp 3>display 2>xvfb.err &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s display ] && break
    sleep 1
done
[ -s display ] || { complain "no X server: $(cat xvfb.err)"; kill $server; finish; }
DISPLAY=:$(cat display)
export DISPLAY
# Begins paused in the first cycle, so that the keys decide where the run is.
SDL_VIDEODRIVER=x11 timeout 120 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" --view --view-keys " " -o live.d "$LK_KERNEL" \
    >live.out 2>live.err </dev/null &
run=$!
window=$(timeout 60 xdotool search --sync --name '^lookaside$' | head -n 1)
# type KEYS PICTURES: keys one by one; waits until so many pictures are there
type_keys() {
    for key in $1; do
        xdotool key --window "$window" "$key" || complain "xdotool: $key"
    done
    for _ in $(seq 100); do
        [ "$(find live.d -name 'window-*.png' 2>/dev/null | wc -l)" -ge "$2" ] && return
        sleep 0.1
    done
    complain "no picture number $2"
}
if [ -n "$window" ]; then
    xdotool windowfocus "$window" 2>/dev/null
    xdotool mousemove 1399 899 # beside the window, where it points at nothing
    # A walk-through: the first page fault, its walk level by level, out of the handler, the frame that came.
    type_keys "f p" 1
    type_keys "l p" 2
    type_keys "l p" 3
    type_keys "r p" 4
    type_keys "l p" 5
    type_keys "Escape Tab o p" 6
    type_keys "f Tab v t p" 7
    type_keys "v Tab question 1 z p" 8
    # What nobody would type, and windows of all sizes: nothing is to come of it.
    for size in "320 200" "200 800" "801 601"; do
        # shellcheck disable=SC2086
        xdotool windowsize "$window" $size
        for key in l c w 4 L slash a Escape h 0 n period z C 2 Z v question; do
            xdotool key --window "$window" "$key"
        done
    done
    xdotool key --window "$window" question
    xdotool key --window "$window" Escape
    xdotool key --window "$window" Escape
    xdotool key --window "$window" Escape
    xdotool key --window "$window" q 2>xdotool.err
else
    complain "no window: $(cat live.err)"
fi
wait $run
status=$?
[ $status = 0 ] || complain "the window's run ended with $status: $(cat live.err)"
kill $server
wait $server 2>/dev/null

# early NAME KEYS: the same by --view-keys from the first cycle on
early() {
    timeout 60 "$LK" run -q -s machine.ram=64MiB -a "quiet init=areas" --screenshot "$1.png@1" --view-keys "$2" -o "$1.d" "$LK_KERNEL" >/dev/null 2>said \
        </dev/null || complain "$1: status $?: $(cat said)"
}
early e1 " f"
early e3 " fll"
early e4 " fllr"
early e5 " fllrl"
early e8 " fllrl$(printf '\033')${tab}of${tab}vtv${tab}?1z"
for i in 1 3 4 5 8; do
    cmp e$i.png live.d/window-$i.png || complain "picture $i of the window is not that of the keys"
done
finish

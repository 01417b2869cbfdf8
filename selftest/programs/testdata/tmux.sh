# A terminal multiplexer with two panes of shells.
set -eu
export TMUX_TMPDIR=$RUN/tmp
tm() { tmux -f /dev/null -L t "$@"; }
shows() { for _ in $(seq 500); do tm capture-pane -p -t "$1" | grep -q -x -- "$2" && return; sleep 0.02; done; echo "never: $2"; tm capture-pane -p -t "$1"; }
tm new-session -d -s main -x 80 -y 24 'PS1="$ " exec sh'
shows main '\$'; tm send-keys -t main 'echo $((6 * 7))' Enter; shows main 42
tm split-window -t main -h 'PS1="> " exec sh'
shows main.1 '>'; tm send-keys -t main.1 'stty size; seq 3 | paste -sd+' Enter; shows main.1 1+2+3
tm send-keys -t main.0 'sleep 60' Enter; until [ "$(tm display-message -p -t main.0 '#{pane_current_command}')" = sleep ]; do sleep 0.02; done; tm send-keys -t main.0 C-c; tm send-keys -t main.0 'echo done' Enter; shows main.0 '\(\$ \)*done'
tm list-panes -t main -F '#{pane_index} #{pane_width}x#{pane_height}'
tm capture-pane -p -t main.1 | sed '/^$/d'
tm run-shell 'echo from tmux >f; exit 0'; cat f
tm wait-for -S chan; tm wait-for chan; tm set-buffer text; tm show-buffer; echo
tm resize-pane -t main.1 -x 20; tm display-message -p '#{session_name} #{window_panes}'
tm kill-server; tm list-sessions 2>/dev/null || echo "server gone"

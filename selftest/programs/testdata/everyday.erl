%% Processes, ports, sockets, files and timers; the emulator has a thread for each processor and more for waits.
-module(everyday).
-export([main/0]).

main() ->
    Self = self(),
    Pids = [spawn(fun() -> receive {go, X} -> Self ! {result, X * X} end end) || _ <- lists:seq(1, 2000)],
    [P ! {go, I} || {P, I} <- lists:zip(Pids, lists:seq(1, 2000))],
    io:format("~p~n", [lists:sum([receive {result, V} -> V end || _ <- Pids])]),
    io:format("~s", [os:cmd("echo command; seq 3 | paste -sd+; kill $$")]),
    Port = open_port({spawn, "cat"}, [binary, exit_status]),
    Port ! {Self, {command, <<"ping">>}},
    receive {Port, {data, D}} -> io:format("~s~n", [D]) end,
    port_close(Port),
    Status = open_port({spawn, "sh -c 'exit 6'"}, [exit_status]),
    receive {Status, {exit_status, N}} -> io:format("~p~n", [N]) end,
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Number} = inet:port(L),
    spawn(fun() -> serve(L) end),
    Echo = fun(_) ->
        {ok, C} = gen_tcp:connect({127, 0, 0, 1}, Number, [binary, {active, false}]),
        ok = gen_tcp:send(C, "hello"),
        {ok, R} = gen_tcp:recv(C, 5),
        gen_tcp:close(C),
        byte_size(R)
    end,
    io:format("~p~n", [lists:sum(lists:map(Echo, lists:seq(1, 50)))]),
    ok = file:write_file("f", lists:duplicate(100000, $x)),
    {ok, F} = file:read_file("f"),
    io:format("~p~n", [byte_size(F)]),
    io:format("~p~n", [element(1, timer:tc(fun() -> timer:sleep(50) end)) >= 50000]),
    io:format("~p~n", [catch 1 / (N - 6)]),
    halt(3).

serve(L) ->
    {ok, A} = gen_tcp:accept(L),
    spawn(fun() -> {ok, B} = gen_tcp:recv(A, 5), gen_tcp:send(A, B), gen_tcp:close(A) end),
    serve(L).

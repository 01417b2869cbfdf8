# Children, threads, signals, sockets, timeouts, ractors, fibers and a stack overflow, which a signal handler reports.
require "socket"
require "timeout"
require "open3"

r, w = IO.pipe
pid = fork { r.close; w.puts "child"; exit!(3) }
w.close
puts r.read, Process.wait2(pid)[1].exitstatus
puts `echo sub; exit 4`, $?.exitstatus
puts Open3.capture3("tr a-z A-Z", stdin_data: "abc")[0]
system("kill -9 $$")
puts $?.termsig
puts 20.times.map { |i| Thread.new { sleep 0.01; i * i } }.sum(&:value)
queue = Queue.new
trap("USR1") { queue << "usr1" }
Process.kill("USR1", $$)
puts queue.pop
server = TCPServer.new("127.0.0.1", 0)
accepted = Thread.new { c = server.accept; c.puts c.gets.upcase; c.close }
client = TCPSocket.new("127.0.0.1", server.addr[1])
client.puts "text"
puts client.read
accepted.join
begin
  Timeout.timeout(0.1) { sleep 10 }
rescue Timeout::Error
  puts "timeout"
end
def deep(n) = deep(n + 1)
begin
  deep(0)
rescue SystemStackError
  puts "overflow"
end
10.times { GC.start; 10000.times { "x" * 100 } }
puts 4.times.map { |i| Ractor.new(i) { |x| (1..10000).sum * x } }.sum(&:take)
f = Fiber.new { Fiber.yield 1; 2 }
puts f.resume + f.resume
exec "sh", "-c", "echo exec; exit 5"

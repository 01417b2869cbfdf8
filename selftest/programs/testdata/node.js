// Timers, worker threads, child processes of each kind, streams, sockets, file system calls in the thread pool.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { spawn, spawnSync, exec, execFile, fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs/promises');
const http = require('node:http');
const net = require('node:net');
const crypto = require('node:crypto');
const zlib = require('node:zlib');
const { promisify } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');

if (!isMainThread) {
  let n = 0;
  for (let i = 0; i < 200000; i++) n = (n * 31 + i * workerData) >>> 0;
  const shared = workerData.shared;
  parentPort.postMessage({ n, id: workerData.id });
  if (shared) for (let i = 0; i < 1000; i++) Atomics.add(shared, 0, 1);
} else if (process.argv[2] === 'child') {
  process.on('message', m => { if (m === 'end') process.exit(5); else process.send(m * 2); });
} else {
  main().catch(e => { console.log('failed', e); process.exit(1); });
}

async function main() {
  const order = [];
  setTimeout(() => order.push('20ms'), 20);
  setTimeout(() => order.push('1ms'), 1);
  setImmediate(() => order.push('immediate'));
  process.nextTick(() => order.push('tick'));
  await sleep(60);
  console.log(order.filter(x => x !== 'immediate').join(' '), order.includes('immediate'));
  let ticks = 0;
  await new Promise(r => { const t = setInterval(() => { if (++ticks === 20) { clearInterval(t); r(); } }, 2); });
  console.log('ticks', ticks);

  const shared = new Int32Array(new SharedArrayBuffer(4));
  const answers = await Promise.all(Array.from({ length: 6 }, async (_, id) => {
    const w = new Worker(__filename, { workerData: { id, shared } });
    const [[m], [code]] = await Promise.all([once(w, 'message'), once(w, 'exit')]);
    return m.id * 10 + code;
  }));
  console.log('workers', answers.join(), shared[0]);

  console.log('sync', [0, 1, 99].map(i => spawnSync('sh', ['-c', `exit ${i}`]).status).join(), spawnSync('sh', ['-c', 'kill -9 $$']).signal, spawnSync('/nonexistent').error.code);
  console.log('exec', (await promisify(exec)('echo out; echo err >&2')).stdout.trim(), (await promisify(execFile)('seq', ['1000'])).stdout.length);
  const codes = await Promise.all(Array.from({ length: 20 }, (_, i) => once(spawn('sh', ['-c', `exit ${i}`]), 'exit').then(r => r[0])));
  console.log('spawn', codes.join());
  const cat = spawn('cat');
  let got = 0;
  cat.stdout.on('data', d => { got += d.length; });
  cat.stdin.end(Buffer.alloc(500000, 'x'));
  await once(cat, 'close');
  console.log('cat', got);
  const child = fork(__filename, ['child']);
  const sums = [];
  for (let i = 0; i < 10; i++) { child.send(i); sums.push((await once(child, 'message'))[0]); }
  child.send('end');
  console.log('fork', sums.join(), (await once(child, 'exit'))[0]);
  const killed = spawn('sleep', ['9']);
  killed.kill('SIGTERM');
  console.log('killed', (await once(killed, 'exit'))[1]);
  process.once('SIGUSR2', () => console.log('signal'));
  process.kill(process.pid, 'SIGUSR2');
  await sleep(30);

  await fs.mkdir('d/e/f', { recursive: true });
  await Promise.all(Array.from({ length: 50 }, (_, i) => fs.writeFile(`d/${i}`, crypto.createHash('sha256').update(`${i}`).digest('hex'))));
  const texts = await Promise.all(Array.from({ length: 50 }, (_, i) => fs.readFile(`d/${i}`, 'utf8')));
  console.log('files', crypto.createHash('sha256').update(texts.join('')).digest('hex').slice(0, 16), (await fs.readdir('d')).length, (await fs.stat('d/0')).size);
  const packed = await Promise.all([1, 5, 9].map(level => promisify(zlib.gzip)(Buffer.alloc(200000, 'abc'), { level })));
  console.log('zlib', packed.map(p => zlib.gunzipSync(p).length).join(), (await promisify(crypto.pbkdf2)('p', 's', 1000, 16, 'sha1')).toString('hex'));

  const server = http.createServer((q, r) => r.end(`path ${q.url}`)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bodies = await Promise.all(Array.from({ length: 30 }, (_, i) => fetch(`http://127.0.0.1:${server.address().port}/${i}`).then(r => r.text())));
  console.log('http', bodies.length, bodies[29]);
  server.closeAllConnections();
  await new Promise(r => server.close(r));
  const unix = net.createServer(c => c.pipe(c)).listen('sock');
  await once(unix, 'listening');
  const c = net.connect('sock');
  c.write('over a unix socket');
  console.log(String((await once(c, 'data'))[0]));
  c.end();
  unix.close();
  console.log('done');
}

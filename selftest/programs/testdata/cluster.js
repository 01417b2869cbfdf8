// Threads, children and a cluster of servers that share a port; one of them is killed.
'use strict';
const {Worker} = require('worker_threads'), cluster = require('cluster'), http = require('http'), child = require('child_process');
const port = +process.argv[2];

const once = (emitter, event) => new Promise(done => emitter.once(event, (...args) => done(args)));
const work = () => once(new Worker("let s = 0; for (let i = 0; i < 1e6; i++) s += i % 7; require('worker_threads').parentPort.postMessage(s)", {eval: true}), 'message');
const get = path => new Promise(done => http.get({host: '127.0.0.1', port, path, agent: false}, r => r.on('data', d => done(String(d).trim()))).on('error', () => done('error')));

async function main() {
  console.log('threads', new Set((await Promise.all([...Array(8)].map(work))).map(String)).size);
  console.log('children', child.spawnSync('sh', ['-c', 'exit 3']).status, String(child.execSync('seq 3 | paste -sd+')).trim());
  const codes = await Promise.all([...Array(10).keys()].map(i => once(child.spawn('sh', ['-c', `exit ${i}`]), 'exit')));
  console.log('statuses', codes.map(c => c[0]).join());
  const sleeper = child.spawn('sleep', ['50']);
  sleeper.kill();
  console.log('killed', (await once(sleeper, 'exit'))[1]);

  let up = 0;
  const listening = new Promise(done => cluster.on('listening', () => ++up === 3 && done()));
  for (let i = 0; i < 3; i++) cluster.fork();
  await listening;
  let served = 0;
  for (let i = 0; i < 40; i++) served += await get('/') === 'served';
  console.log('served', served);
  const death = once(cluster, 'exit');
  console.log('died', await get('/die'), (await death)[2]);
  const ends = Object.values(cluster.workers).map(w => once(w, 'exit'));
  for (const w of Object.values(cluster.workers)) w.kill('SIGTERM');
  console.log('ended', (await Promise.all(ends)).map(e => e[1]).join());
  process.on('SIGUSR2', () => process.exit(4));
  process.kill(process.pid, 'SIGUSR2');
}

function serve() {
  http.createServer((request, response) => {
    if (request.url === '/die') process.kill(process.pid, 'SIGKILL');
    response.end('served\n');
  }).listen(port, '127.0.0.1');
}

if (cluster.isPrimary) main();
else serve();

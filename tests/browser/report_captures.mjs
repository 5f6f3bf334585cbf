// SPDX-License-Identifier: MIT
// Captures whose truth is known, for the tests of the report.
import { utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, folder, writeTo } from './report_harness.mjs';

const LIBRARY = '/v/lib/python3.12/site-packages';
const STDLIB = '/usr/lib/python3.12';

const APP = [
	'# the shop',
	...Array.from({ length: 8 }, (_, i) => `# ${i + 2}`),
	'main()  # line 10',
	...Array.from({ length: 9 }, (_, i) => `# ${i + 11}`),
	'serve_request()  # line 20',
	'# 21',
	'page = render()  # line 22',
	'# 23',
	'text = dumps(page)  # line 24',
	...Array.from({ length: 5 }, (_, i) => `# ${i + 25}`),
	'words = line.split()  # line 30',
	...Array.from({ length: 9 }, (_, i) => `# ${i + 31}`),
	'out = escape(words)  # line 40',
];

/**
 * A shop: 4 s at 1 kHz, two processes. What each thread does, in ms:
 *
 *	MainThread   0-200 main > boot > plugin_000 .. plugin_199, 1 ms each
 *	             200-1000 main:20 > serve > parse; 1000-1500 main:22 > serve > render > escape
 *	             1500-2000 main:24 > serve > dumps > encode; 2000-4000 main > wait (waiting)
 *	             runs and holds the GIL for 2000 ms
 *	worker       0-500 run > job > walk > walk > leaf (running); 500-1000 run > job > parse (waits for
 *	             the GIL); 1000-2000, 2100-4000 run > idle (waiting); 2000-2100 run > job > collect (GC)
 *	worker       (another one of this name) every second at 300-400 run > job > tick (running), else
 *	             run > idle (waiting)
 *	MainThread   of the other process: 0-200 batch > load (ready), 200-400 batch > load (running)
 *
 * 4000 + 4000 + 4000 + 400 = 12 400 samples.
 */
export function shopCapture() {
	const app = writeTo('app.py', `${APP.join('\n')}\n`);
	const jobs = writeTo(
		'jobs.py',
		`${Array.from({ length: 40 }, (_, i) => `job_line_${i + 1}`).join('\n')}\n`,
	);
	utimesSync(app, 1.6e9, 1.6e9); // older than the capture; jobs.py is younger
	const base = (line) => `main@${app}:10;serve@${app}:${line}`;
	const job = `run@${jobs}:4;job@${jobs}:5`;
	const idle = `run@${jobs}:4;idle@${STDLIB}/threading.py:320`;
	const lines = [
		`fact cwd ${folder}`,
		'fact python 3.12.1',
		'fact command fireglass record -- python3 app.py',
		'fact start_ns 1700000000000000000',
		'fact end_ns 1700000004000000000',
		'fact ticks 3993',
		`fact host ${hostname()}`,
		'process 100 shop',
		'process 200 batch',
		'thread 0 100 MainThread',
		'thread 0 101 worker',
		'thread 0 102 worker',
		'thread 1 200 MainThread',
		...Array.from({ length: 200 }, (_, i) => {
			const plugin = `plugin_${String(i).padStart(3, '0')}`;
			return `sample ${i} 1 0 cpu 1 main@${app}:10;boot@${app}:12;${plugin}@${folder}/plugins.py:${i + 1}`;
		}),
		`sample 200 800 0 cpu 1 ${base(20)};parse@${app}:30`,
		`sample 1000 500 0 cpu 1 ${base(22)};render@${app}:40;escape@${LIBRARY}/markup/esc.py:7`,
		`sample 1500 500 0 cpu 1 ${base(24)};dumps@${STDLIB}/json/__init__.py:9;encode@${STDLIB}/json/encoder.py:5`,
		`sample 2000 2000 0 waiting 0 main@${app}:10;wait@${STDLIB}/threading.py:300`,
		`sample 0 500 1 cpu 0 ${job};walk@${jobs}:10;walk@${jobs}:11;leaf@${jobs}:20`,
		`sample 500 500 1 waiting 2 ${job};parse@${app}:30`,
		`sample 1000 1000 1 waiting 0 ${idle}`,
		`sample 2000 100 1 cpu 5 ${job};collect@${jobs}:30`,
		`sample 2100 1900 1 waiting 0 ${idle}`,
		...[0, 1000, 2000, 3000].flatMap((second) => [
			`sample ${second} 300 2 waiting 0 ${idle}`,
			`sample ${second + 300} 100 2 cpu 0 ${job};tick@${jobs}:33`,
			`sample ${second + 400} 600 2 waiting 0 ${idle}`,
		]),
		`sample 0 200 3 ready 0 batch@${folder}/batch.py:1;load@${folder}/batch.py:9`,
		`sample 200 200 3 cpu 0 batch@${folder}/batch.py:1;load@${folder}/batch.py:9`,
		'marker 0 1000 0 request GET /list',
		'marker 1000 1500 0 request GET /cart',
		// waits for the GIL and collections are markers by themselves
		'loss 50 7',
	];
	return describe(lines);
}

/** The same shop after a change: rendering takes 1000 ms in place of 500, dumps is gone. */
export function laterCapture() {
	const base = (line) => `main@${folder}/app.py:10;serve@${folder}/app.py:${line}`;
	return describe([
		`fact cwd ${folder}`,
		'process 100 shop',
		'thread 0 100 MainThread',
		`sample 0 800 0 cpu 1 ${base(20)};parse@${folder}/app.py:30`,
		`sample 800 1000 0 cpu 1 ${base(22)};render@${folder}/app.py:40;escape@${LIBRARY}/markup/esc.py:7`,
		`sample 1800 200 0 waiting 0 main@${folder}/app.py:10;fresh@${folder}/app.py:12`,
	]);
}

export function earlierCapture() {
	const base = (line) => `main@${folder}/app.py:10;serve@${folder}/app.py:${line}`;
	return describe([
		`fact cwd ${folder}`,
		'process 100 shop',
		'thread 0 100 MainThread',
		`sample 0 800 0 cpu 1 ${base(20)};parse@${folder}/app.py:30`,
		`sample 800 500 0 cpu 1 ${base(22)};render@${folder}/app.py:40;escape@${LIBRARY}/markup/esc.py:7`,
		`sample 1300 700 0 cpu 1 ${base(24)};dumps@${STDLIB}/json/__init__.py:9;encode@${STDLIB}/json/encoder.py:5`,
	]);
}

export const HURT = '</script><img src=x onerror=fireglassHurt()>';

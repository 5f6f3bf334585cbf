// SPDX-License-Identifier: MIT
/**
 * How long the model takes for a large capture: 1 million samples, 100 000 stacks, 20 threads, or as
 * many as asked for: model.mjs [SAMPLES [STACKS [THREADS]]]. Milliseconds: of the first time, and the
 * median of further ones where that is what a user does again and again.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { INITIAL, type State } from '../src/app/state.js';
import type { Capture } from '../src/data/capture.js';
import { decodeCapture } from '../src/data/decode.js';
import { joinCaptures } from '../src/data/join.js';
import { fromBase64 } from '../src/data/unpack.js';
import { commonDepths } from '../src/model/common.js';
import { functionSums } from '../src/model/functions.js';
import { binCounts } from '../src/model/heat.js';
import { fileHeat, lineHeat } from '../src/model/lines.js';
import { Shower } from '../src/model/show.js';
import { makeSandwich, makeTree } from '../src/model/tree.js';
import { encodeCapture } from '../test/encode.js';
import { placeOf } from '../test/make.js';
import { makeRandom } from '../test/random.js';

const [SAMPLES, STACKS, THREADS] = [1_000_000, 100_000, 20].map((usual, i) =>
	Number(process.argv[2 + i] ?? usual),
);
const FUNCTIONS = 4000;
const PERIOD_NS = 1_000_000;

const random = makeRandom(1);

/** A tree of calls, some 10 to 40 deep, and where each stack was left off. */
function makeStacks(): Pick<Capture, 'frames' | 'stacks'> {
	const parent = new Int32Array(STACKS);
	const frame = new Uint32Array(STACKS);
	const depth = new Uint16Array(STACKS);
	const frames = FUNCTIONS * 4;
	for (let s = 0; s < STACKS; s++) {
		// mostly deeper from one of the last few, sometimes from anywhere
		let up = s === 0 ? -1 : random(20) ? Math.max(0, s - 1 - random(40)) : random(s);
		while (up >= 0 && depth[up] > 40) up = parent[up];
		parent[s] = up;
		frame[s] = random(frames);
		depth[s] = up < 0 ? 1 : depth[up] + 1;
	}
	return {
		stacks: { count: STACKS, parent, frame, depth },
		frames: {
			count: frames,
			func: Uint32Array.from({ length: frames }, (_, i) => i >> 2),
			line: Uint32Array.from({ length: frames }, (_, i) => ((i >> 2) % 300) + (i & 3) + 1),
		},
	};
}

/** Threads stay where they are for a while, then are somewhere else nearby. */
function makeSamples(): Capture['samples'] {
	const each = Math.floor(SAMPLES / THREADS);
	const count = each * THREADS;
	const stack = new Uint32Array(count);
	let at = 0;
	for (let row = 0; row < count; row++) {
		if (random(2)) at = (at + random(200) + STACKS - 90) % STACKS;
		stack[row] = at;
	}
	const rows = { length: count };
	return {
		count,
		thread: Uint32Array.from(rows, (_, row) => Math.floor(row / each)),
		timeNs: Float64Array.from(rows, (_, row) => (row % each) * PERIOD_NS + random(900) * 1000),
		stack,
		state: Uint8Array.from(rows, () => 1 + random(3)),
		flags: Uint8Array.from(rows, () => random(4)),
		cpuNs: Float64Array.from(rows, () => random(4) * 100_000),
		syscall: new Int16Array(count).fill(-1),
		weight: null,
	};
}

function makeLarge(): Capture {
	const samples = makeSamples();
	const each = samples.count / THREADS;
	const strings = [
		'',
		...Array.from({ length: 200 }, (_, i) => `/v/site-packages/package${i % 30}/file${i}.py`),
		...Array.from({ length: FUNCTIONS }, (_, i) => `Class${i % 90}.function_${i}`),
	];
	const functions = { length: FUNCTIONS };
	return {
		title: 'large',
		facts: new Map(),
		periodNs: PERIOD_NS,
		unit: 'samples',
		timed: true,
		startNs: 0n,
		durationNs: each * PERIOD_NS + PERIOD_NS,
		strings,
		processes: [{ row: 0, pid: 1, name: 'p', command: '', startNs: 0, endNs: null }],
		threads: Array.from({ length: THREADS }, (_, row) => ({
			row,
			process: 0,
			tid: row + 1,
			name: `thread ${row}`,
			main: row === 0,
			startNs: 0,
			endNs: null,
			first: row * each,
			count: each,
		})),
		markers: [],
		losses: [],
		places: new Map(strings.slice(1, 201).map((file, i) => [i + 1, placeOf(file)])),
		sources: new Map(),
		syscalls: new Map(),
		functions: {
			count: FUNCTIONS,
			name: Uint32Array.from(functions, (_, i) => 201 + i),
			file: Uint32Array.from(functions, (_, i) => 1 + (i % 200)),
			line: Uint32Array.from(functions, (_, i) => 1 + (i % 300)),
			kind: new Uint8Array(FUNCTIONS),
		},
		...makeStacks(),
		samples,
	};
}

function report(what: string, times: number[]): void {
	const [first, ...rest] = times;
	const sorted = rest.sort((a, b) => a - b);
	const median = sorted.length ? sorted[sorted.length >> 1].toFixed(1) : '';
	const most = sorted.length ? (sorted.at(-1) ?? 0).toFixed(1) : '';
	console.log(
		`${what.padEnd(44)}${first.toFixed(1).padStart(9)}${median.padStart(9)}${most.padStart(9)}`,
	);
}

/** The result of the last time. */
function measure<T>(what: string, times: number, run: (i: number) => T): T {
	const taken: number[] = [];
	let result: T | undefined;
	for (let i = 0; i < times; i++) {
		const start = performance.now();
		result = run(i);
		taken.push(performance.now() - start);
	}
	report(what, taken);
	return result as T;
}

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });

function dragging(capture: Capture, share: number): (i: number) => State {
	const { durationNs } = capture;
	return (i) => {
		const from = durationNs * (0.05 + 0.004 * i);
		return state({ ranges: [{ from, to: Math.min(durationNs, from + share * durationNs) }] });
	};
}

function main(): void {
	console.log(`${SAMPLES} samples, ${STACKS} stacks, ${THREADS} threads; node ${process.version}`);
	console.log(
		`${'milliseconds'.padEnd(44)}${'first'.padStart(9)}${'median'.padStart(9)}${'most'.padStart(9)}`,
	);
	const bytes = encodeCapture(makeLarge());
	const packed = gzipSync(bytes);
	const text = packed.toString('base64');
	console.log(`${bytes.length} bytes, ${packed.length} packed, ${text.length} in the page`);
	measure('base64', 1, () => fromBase64(text));
	measure('gunzip (zlib; browsers do it aside)', 1, () => gunzipSync(packed));
	const capture = measure('decode', 1, () => decodeCapture(bytes));
	const shower = measure('new Shower', 1, () => new Shower(capture, null));
	const shown = measure('first show', 1, () => shower.show(state({})));
	const tree = measure('tree', 7, () => makeTree(shown, false));
	console.log(`(${tree.count} nodes, ${tree.maxDepth} deep)`);
	measure('function sums', 7, () => functionSums(shown));
	const some = dragging(capture, 0.1);
	measure('range of a tenth, dragged: show', 30, (i) => shower.show(some(i)));
	measure('  show and tree', 30, (i) => makeTree(shower.show(some(i + 40)), false));
	const most = dragging(capture, 0.8);
	measure('range of most, dragged: show', 30, (i) => shower.show(most(i)));
	measure('  show and tree', 30, (i) => makeTree(shower.show(most(i + 12)), false));
	const jump = (i: number): State => some((i * 97) % 220);
	measure('range of a tenth, elsewhere: show and tree', 20, (i) =>
		makeTree(shower.show(jump(i)), false),
	);
	measure('mode', 3, (i) => shower.show(state({ mode: (['cpu', 'gil', 'idle'] as const)[i] })));
	for (const granularity of ['lines', 'files', 'modules'] as const) {
		measure(granularity, 1, () => makeTree(shower.show(state({ granularity })), false));
	}
	for (const kind of ['focus', 'only', 'drop', 'merge', 'recursion'] as const) {
		measure(kind, 5, (i) =>
			makeTree(shower.show(state({ transforms: [{ kind, func: 7 + i }] })), false),
		);
	}
	measure('library', 5, (i) =>
		shower.show(state({ transforms: [{ kind: 'library', module: `package${i}` }] })),
	);
	const inverted = measure('inverted tree', 3, () => makeTree(shown, true));
	console.log(`(${inverted.count} nodes)`);
	measure('sandwich', 9, (i) => makeSandwich(shown, i * 11));
	measure('common bases', 9, (i) => commonDepths(capture.stacks, i * 9999));
	measure('heat map', 9, () => binCounts(capture, state({}), 2e7, 0, capture.durationNs));
	measure('files', 3, () => fileHeat(capture, shown, state({})));
	measure('lines of a file', 9, (i) => lineHeat(capture, shown, state({}), i + 1));
	const joined = measure('join', 1, () => joinCaptures(capture, decodeCapture(bytes)));
	const both = new Shower(joined.now, joined.before);
	measure('first show and tree of a comparison', 1, () => makeTree(both.show(state({})), false));
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	console.log(
		`heap ${(heapUsed / 2 ** 20).toFixed(0)} MiB, arrays ${(arrayBuffers / 2 ** 20).toFixed(0)} MiB`,
	);
}

main();

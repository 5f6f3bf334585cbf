// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Capture } from '../src/data/capture.js';
import { decodeCapture } from '../src/data/decode.js';
import { fromBase64, gunzip } from '../src/data/unpack.js';
import { bytesOf, differences, encodeCapture, type PageParts, partsOf, varints } from './encode.js';
import { makeCapture } from './make.js';
import { makeRandom, randomCapture } from './random.js';

const rich = (): Capture =>
	makeCapture({
		title: 'a </script> <b>title</b>',
		facts: { host: 'here', python: '3.12' },
		periodNs: 1e7,
		startNs: 12345678901234567890n,
		processes: [
			{ pid: 1, name: 'one' },
			{ pid: 2, name: '', command: 'two --x' },
		],
		threads: [
			{
				samples: [
					'main:1;f@x.py:2 ! cpu gil @0.5 cpu=1000 sys=0',
					'(no Python frame) ! wait sys=32766',
				],
			},
			{ samples: [], name: '', main: false, process: 1 },
			{ samples: ['main:1;f@x.py:70000 ! stop gc cut unread taken x3000000000'], endMs: 3 },
		],
		markers: [{ startNs: -5, endNs: 7, thread: 2, process: 1, name: 'GC', text: '\0"' }],
		losses: [{ timeNs: 9, kind: 'no room', count: 4 }],
		syscalls: { 0: 'read' },
		sources: { 'x.py': 'changed after the recording|def f():\n\tpass\n' },
	});

/** Strings are more in a page: names are in the table too. */
function same(got: Capture, wanted: Capture): void {
	assert.deepEqual(got.strings.slice(0, wanted.strings.length), wanted.strings);
	assert.deepEqual({ ...got, strings: [] }, { ...wanted, strings: [] });
}

test('a capture comes back as it was', () => {
	same(decodeCapture(encodeCapture(rich())), rich());
	for (let seed = 1; seed <= 50; seed++) {
		const c = randomCapture(makeRandom(seed));
		same(decodeCapture(encodeCapture(c)), c);
	}
});

test('nothing recorded is a capture too', () => {
	const empty = makeCapture({ threads: [] });
	same(decodeCapture(encodeCapture(empty)), empty);
});

test('units of times', () => {
	const parts = partsOf(makeCapture({ threads: [{ samples: ['a ! @0', 'a ! @0.002'] }] }));
	parts.json.time_unit_ns = 500;
	parts.json.cpu_unit_ns = 1000;
	const at = parts.columns.findIndex(([name]) => name === 'samples.cpu');
	parts.columns[at][2] = varints([3, 0]);
	const { samples } = decodeCapture(bytesOf(parts));
	assert.deepEqual([...samples.timeNs], [0, 2000 * 500]);
	assert.deepEqual([...samples.cpuNs], [3000, 0]);
});

test('samples that are not in order are put in order', () => {
	const threads = [
		{ samples: ['a ! @3 cpu=3', 'b ! @1 wait', 'c ! @2 gil x2'] },
		{ samples: ['d'] },
	];
	const { samples, strings, functions, frames, stacks } = decodeCapture(
		encodeCapture(makeCapture({ threads })),
	);
	assert.deepEqual([...samples.timeNs], [1e6, 2e6, 3e6, 0]);
	const nameOf = (stack: number): string =>
		strings[functions.name[frames.func[stacks.frame[stack]]]];
	assert.deepEqual([...samples.stack].map(nameOf), ['b', 'c', 'a', 'd']);
	assert.deepEqual([...samples.state], [3, 1, 1, 1]);
	assert.deepEqual([...samples.flags], [0, 1, 0, 0]);
	assert.deepEqual([...samples.cpuNs], [0, 0, 3, 0]);
	assert.deepEqual([...(samples.weight ?? [])], [1, 2, 1, 1]);
});

test('what is not known of is left out', () => {
	const parts = partsOf(rich());
	parts.json.something = { new: true };
	parts.columns.splice(3, 0, ['functions.colour', 2, varints([1, 300])]);
	same(decodeCapture(bytesOf(parts)), rich());
});

type Column = PageParts['columns'][number];

function refuses(what: RegExp, change: (parts: PageParts) => void): void {
	const parts = partsOf(rich());
	change(parts);
	assert.throws(() => decodeCapture(bytesOf(parts)), what);
}

function column(parts: PageParts, name: string): Column {
	const found = parts.columns.find((c) => c[0] === name);
	if (!found) throw new Error(name);
	return found;
}

const becomes =
	(name: string, values: Iterable<number | bigint>) =>
	(parts: PageParts): void => {
		column(parts, name)[2] = varints(values);
	};

test('errors say what is wrong with columns', () => {
	refuses(/^Error: the data of this page is damaged: column stacks.frame is missing/, (p) => {
		p.columns = p.columns.filter(([name]) => name !== 'stacks.frame');
	});
	refuses(/functions.name has more than/, (p) => {
		column(p, 'functions.name')[2] = varints([0, 0, 0, 0, 0, 0, 0, 0, 0]);
	});
	refuses(/frames.line has fewer than/, becomes('frames.line', [1]));
	refuses(/frames.line is too short/, becomes('frames.line', [300, 300, 300, 0].slice(0, 3)));
	refuses(/functions.file has 2 numbers instead of/, (p) => {
		column(p, 'functions.file')[1] = 2;
	});
	refuses(/functions.file, row 1: 99 is too large/, becomes('functions.file', [0, 99, 0]));
	refuses(/functions.kind, row 0: 4 is too large/, becomes('functions.kind', [4, 0, 0]));
	refuses(
		/frames.func, row 0: there is no row -1/,
		becomes('frames.func', differences([-1, 0, 0, 0])),
	);
	refuses(
		/frames.func, row 1: there is no row 3/,
		becomes('frames.func', differences([0, 3, 0, 0])),
	);
	refuses(/stacks.parent, row 1: its parent is before/, becomes('stacks.parent', [0, 2, 0, 0]));
	refuses(
		/samples.stack, row 0: there is no row 9/,
		becomes('samples.stack', differences([9, 0, 0])),
	);
	refuses(/samples.state, row 0: 320 is no state/, becomes('samples.state', [320, 0, 0]));
	refuses(/samples.syscall, row 0: 32768 is too/, becomes('samples.syscall', [32768, 0, 0]));
	refuses(/samples.time, row 0: no time/, becomes('samples.time', [2n ** 64n - 2n, 0, 0]));
});

test('numbers that are too long are refused', () => {
	const long = (last: number): Uint8Array =>
		Uint8Array.from([...Array.from({ length: 9 }, () => 255), last, 1, 1]);
	refuses(/samples.cpu has a number of more than 64 bits/, (p) => {
		column(p, 'samples.cpu')[2] = long(2);
	});
	refuses(/samples.cpu has a number of more than 64 bits/, (p) => {
		column(p, 'samples.cpu')[2] = Uint8Array.from({ length: 13 }, () => 255);
	});
	refuses(/samples.cpu ends within a number/, (p) => {
		column(p, 'samples.cpu')[2] = Uint8Array.from([1, 1, 255]);
	});
	const parts = partsOf(rich());
	column(parts, 'samples.cpu')[2] = long(1);
	assert.equal(decodeCapture(bytesOf(parts)).samples.cpuNs[0], 2 ** 64);
});

test('errors say what is wrong with the tables', () => {
	refuses(/does not begin as it should/, (p) => {
		p.magic = 'GIF89a\n\n';
	});
	refuses(/another version \("fgpage2"\)/, (p) => {
		p.magic = 'fgpage2\n';
	});
	refuses(/of version 2, its viewer knows 1/, (p) => {
		p.json.version = 2;
	});
	refuses(/more after the last column/, (p) => {
		p.after = Uint8Array.of(0);
	});
	const json: [RegExp, Record<string, unknown>][] = [
		[/strings are missing/, { strings: 'x' }],
		[/a string is no text/, { strings: [1] }],
		[/threads are missing/, { threads: null }],
		[/a row of threads is too short/, { threads: [[0, 1]] }],
		[/the process of a thread cannot be 2/, { threads: [[2, 1, 0, 0, 0, null, 3]] }],
		[/the name of a thread cannot be 999/, { threads: [[0, 1, 999, 0, 0, null, 3]] }],
		[/the samples of a thread cannot be 1.5/, { threads: [[0, 1, 0, 0, 0, null, 1.5]] }],
		[
			/samples.state has 3 numbers instead of 4/,
			{ markers: [], threads: [[0, 1, 0, 0, 0, null, 4]] },
		],
		[
			/the end of a process is no number/,
			{
				processes: [
					[1, 0, 0, 0, 'x'],
					[1, 0, 0, 0, 1],
				],
			},
		],
		[/the thread of a marker cannot be 3/, { markers: [[0, 0, 3, 0, 0, 0]] }],
		[/"eaten" is no reason/, { losses: [[0, 'eaten', 1]] }],
		[/"mine" is no origin/, { files: [[0, 'x', 'x', 'mine']] }],
		[/start_ns is no time/, { start_ns: '12e3' }],
		[/time_unit_ns cannot be 0/, { time_unit_ns: 0 }],
		[/the count of a column cannot be -1/, { columns: [['functions.name', -1, 4]] }],
		[/column functions.name is cut off/, { columns: [['functions.name', 1, 1e9]] }],
	];
	for (const [what, patch] of json) refuses(what, (p) => Object.assign(p.json, patch));
});

test('whatever is cut off or changed is an error that says so, or still a capture', () => {
	const good = encodeCapture(rich());
	for (let length = 0; length < good.length; length++) {
		assert.throws(() => decodeCapture(good.subarray(0, length)), /is damaged: /);
	}
	const random = makeRandom(7);
	for (let i = 0; i < 3000; i++) {
		const bad = good.slice();
		bad[random(bad.length)] = random(256);
		try {
			const { samples, stacks } = decodeCapture(bad);
			assert.ok(samples.stack.every((stack) => stack < stacks.count));
		} catch (error) {
			assert.match(String(error), /is damaged: /);
		}
	}
});

test('base64', () => {
	for (let length = 0; length < 40; length++) {
		const bytes = Uint8Array.from({ length }, (_, i) => (i * 83 + length * 7) & 255);
		const text = Buffer.from(bytes).toString('base64');
		assert.deepEqual(fromBase64(`\n ${text} \n`), bytes);
	}
	for (const bad of ['QUJ', 'QU=D', 'Q===', '====', 'QUJDQUJ\u20ac', 'QU-_', 'QUJD\nQUJD']) {
		assert.throws(() => fromBase64(bad), /base64/, bad);
	}
});

test('what is packed is unpacked, or it is said why not', async () => {
	const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) & 255);
	assert.deepEqual(await gunzip(gzipSync(bytes)), bytes);
	const packed = gzipSync(bytes);
	await assert.rejects(gunzip(packed.subarray(0, packed.length - 9)), /cannot be unpacked/);
	await assert.rejects(gunzip(Uint8Array.of(1, 2, 3)), /cannot be unpacked/);
});

// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import type { Capture, Samples, Thread } from '../src/data/capture.js';
import { NONE } from '../src/data/capture.js';
import { headline, type LiveState, span } from '../src/live/bar.js';
import { readConfig } from '../src/live/control.js';
import {
	agoOf,
	askedRanges,
	byHand,
	chosenSince,
	endsNow,
	fromLink,
	inward,
	outward,
	sampleIn,
	stepState,
} from '../src/live/follow.js';
import { makeMeter } from '../src/live/meter.js';
import { addPiece, captureNow, makeRing, type Ring } from '../src/live/ring.js';
import { makeSplitter } from '../src/live/stream.js';
import { Shower } from '../src/model/show.js';
import { makeTree } from '../src/model/tree.js';
import { makeCapture } from './make.js';
import { makeRandom, randomCapture } from './random.js';

type Random = (n: number) => number;

const START = 1_700_000_000_000_000_000n;

// ---- captures, sample by sample ---------------------------------------------------------------------

function pathOf(c: Capture, stack: number): string {
	const frames: string[] = [];
	for (let s = stack; s !== NONE; s = c.stacks.parent[s]) {
		const frame = c.stacks.frame[s];
		const f = c.frames.func[frame];
		const { name, file, line, kind } = c.functions;
		const text = [c.strings[name[f]], c.strings[file[f]], line[f], kind[f], c.frames.line[frame]];
		frames.push(text.join('|'));
	}
	return frames.reverse().join(';');
}

/** By thread id, what each sample says, from a time since START on. */
function told(c: Capture, sinceNs = -Infinity): Map<number, string[]> {
	const { samples } = c;
	const all = new Map<number, string[]>();
	for (const { tid, first, count } of c.threads) {
		for (let i = first; i < first + count; i++) {
			const at = Number(c.startNs - START) + samples.timeNs[i];
			if (at < sinceNs) continue;
			const { state, flags, cpuNs, syscall, weight } = samples;
			const line = [at, state[i], flags[i], cpuNs[i], syscall[i], weight?.[i] ?? 1];
			const lines = all.get(tid) ?? [];
			all.set(tid, lines);
			lines.push(`${line.join(' ')} ${pathOf(c, samples.stack[i])}`);
		}
	}
	return all;
}

function pick(s: Samples, rows: readonly number[], byNs: number): Samples {
	const of = <T extends { map(f: (v: number) => number): T }>(
		make: { from(a: readonly number[]): T },
		column: ArrayLike<number>,
	): T => make.from(rows.map((r) => column[r]));
	return {
		count: rows.length,
		thread: of(Uint32Array, s.thread),
		timeNs: Float64Array.from(rows, (r) => s.timeNs[r] - byNs),
		stack: of(Uint32Array, s.stack),
		state: of(Uint8Array, s.state),
		flags: of(Uint8Array, s.flags),
		cpuNs: of(Float64Array, s.cpuNs),
		syscall: of(Int16Array, s.syscall),
		weight: s.weight && of(Float64Array, s.weight),
		span: s.span && of(Float64Array, s.span),
	};
}

/** Functions, and their names, in another order. */
function shuffled(c: Capture, random: Random): Capture {
	const { functions, frames } = c;
	const order = Array.from({ length: functions.count }, (_, f) => f);
	for (let i = order.length; i-- > 1; ) {
		const j = random(i + 1);
		[order[i], order[j]] = [order[j], order[i]];
	}
	const strings = [...c.strings].reverse();
	const text = (row: number): number => c.strings.length - 1 - row;
	return {
		...c,
		strings,
		places: new Map([...c.places].map(([file, place]) => [text(file), place])),
		functions: {
			count: functions.count,
			name: Uint32Array.from(order, (f) => text(functions.name[f])),
			file: Uint32Array.from(order, (f) => text(functions.file[f])),
			line: Uint32Array.from(order, (f) => functions.line[f]),
			kind: Uint8Array.from(order, (f) => functions.kind[f]),
		},
		frames: { ...frames, func: frames.func.map((f) => order.indexOf(f)) },
	};
}

/** The samples of [from, to), as a server sends them: only threads that have any, times of its own. */
function pieceOf(c: Capture, from: number, to: number, random: Random): Capture {
	const inside = (r: number): boolean => c.samples.timeNs[r] >= from && c.samples.timeNs[r] < to;
	const rows: number[] = [];
	const threads: Thread[] = [];
	let begin = Infinity;
	for (const t of c.threads) {
		const own = Array.from({ length: t.count }, (_, i) => t.first + i).filter(inside);
		if (own.length === 0) continue;
		threads.push({ ...t, row: threads.length, first: rows.length, count: own.length });
		rows.push(...own);
		begin = Math.min(begin, c.samples.timeNs[own[0] ?? 0]);
	}
	const start = Number.isFinite(begin) ? begin : 0;
	return shuffled(
		{
			...c,
			startNs: c.startNs + BigInt(start),
			durationNs: Math.min(to, c.durationNs) - start,
			threads: threads.map((t) => ({ ...t, startNs: t.startNs - start })),
			samples: pick(c.samples, rows, start),
		},
		random,
	);
}

/** Cuts at random places, and what a ring makes of it. */
function played(c: Capture, keepNs: number, random: Random): { ring: Ring; shots: Capture[] } {
	const ring = makeRing(keepNs);
	const shots: Capture[] = [];
	for (let at = 0; at < c.durationNs; ) {
		const to = at + 1e6 * (1 + random(8));
		// some of it is sent again
		const from = random(3) === 0 ? Math.max(0, at - 1e6 * random(5)) : at;
		addPiece(ring, pieceOf(c, from, to, random));
		const shot = captureNow(ring);
		if (shot) shots.push(shot);
		at = to;
	}
	return { ring, shots };
}

test('pieces make the capture that they were cut from', () => {
	const random = makeRandom(11);
	for (let i = 0; i < 150; i++) {
		const c = { ...randomCapture(random), startNs: START };
		const { shots } = played(c, 1e12, random);
		const last = shots.at(-1);
		if (!last) assert.equal(c.samples.count, 0);
		else assert.deepEqual(told(last), told(c));
	}
});

test('what is older than is kept goes, and what was given stays', () => {
	const random = makeRandom(12);
	for (let i = 0; i < 100; i++) {
		const c = { ...randomCapture(random), startNs: START };
		const keepNs = 1e6 * (2 + random(20));
		const { ring, shots } = played(c, keepNs, random);
		const last = shots.at(-1);
		if (!last) continue;
		const since = Number(ring.originNs - START) + ring.endNs - keepNs;
		const own = told(last);
		const wanted = told(c, since);
		for (const [tid, lines] of wanted) assert.deepEqual(own.get(tid), lines);
		assert.ok(last.durationNs <= keepNs + 1);
		// samples of a thread lie together, in order, within the capture
		for (const t of last.threads) {
			for (let r = t.first; r < t.first + t.count; r++) {
				assert.equal(last.samples.thread[r], t.row);
				assert.ok(last.samples.timeNs[r] >= 0 && last.samples.timeNs[r] <= last.durationNs);
			}
		}
		// the first one still says what it said, though there was more since
		const first = shots[0];
		if (first) for (const lines of told(first).values()) assert.ok(lines.length > 0);
	}
});

test('rows of functions, threads and stacks that were seen stay', () => {
	const random = makeRandom(13);
	for (let i = 0; i < 60; i++) {
		const c = { ...randomCapture(random), startNs: START };
		const { shots } = played(c, 1e12, random);
		for (const [n, shot] of shots.entries()) {
			const next = shots[n + 1];
			if (!next) continue;
			for (let s = 0; s < shot.stacks.count; s++) assert.equal(pathOf(shot, s), pathOf(next, s));
			for (const t of shot.threads) assert.equal(next.threads[t.row]?.tid, t.tid);
		}
	}
});

test('nodes keep their keys while samples come and go', () => {
	const random = makeRandom(14);
	const keysOf = (shower: Shower): Map<string, string> => {
		const shown = shower.show(INITIAL);
		const tree = makeTree(shown, false);
		const keys = new Map<string, string>();
		for (let n = 1; n < tree.count; n++) {
			const names: string[] = [];
			const path: number[] = [];
			for (let at = n; at > 0; at = tree.parent[at]) {
				const func = shown.tables.frameFunc[tree.frame[at]];
				names.push(`${shown.tables.funcName[func]}|${shown.tables.funcOwn[func]}`);
				path.push(tree.key[at]);
			}
			keys.set(names.join(';'), path.join('.'));
		}
		return keys;
	};
	for (let i = 0; i < 60; i++) {
		const c = { ...randomCapture(random), startNs: START };
		let had = new Map<string, string>();
		for (const shot of played(c, 8e6, random).shots) {
			const keys = keysOf(new Shower(shot, null, true));
			for (const [names, path] of keys) assert.equal(had.get(names) ?? path, path);
			had = new Map([...had, ...keys]);
		}
	}
});

// ---- threads, markers, sources ----------------------------------------------------------------------

const piece = (atMs: number, lines: Partial<Parameters<typeof makeCapture>[0]> = {}): Capture =>
	makeCapture({
		threads: [{ name: 'Main', samples: ['main;work:12', 'main;idle ! wait'] }],
		startNs: START + BigInt(atMs) * 1_000_000n,
		...lines,
	});

function shot(ring: Ring): Capture {
	const now = captureNow(ring);
	assert.ok(now);
	return now;
}

test('a thread that ended is another one than the next of its number', () => {
	const ring = makeRing(60e9);
	const one = (endMs: number | null, startMs = 0) => [
		{ name: 'w', tid: 7, startMs, endMs, samples: ['w;a'] },
	];
	addPiece(ring, piece(0, { threads: one(null) }));
	addPiece(ring, piece(10, { threads: one(2, -10) }));
	assert.equal(shot(ring).threads.length, 1);
	addPiece(ring, piece(20, { threads: one(null, -1) }));
	const now = shot(ring);
	assert.deepEqual(
		now.threads.map((t) => [t.tid, t.count, t.endNs]),
		[
			[7, 2, 12e6],
			[7, 1, null],
		],
	);
	// of 100 and more, rows of those that are gone are used again
	const many = makeRing(5e6);
	for (let i = 0; i < 300; i++) {
		addPiece(
			many,
			piece(i * 2, { threads: [{ name: `t${i}`, tid: 1000 + i, endMs: 1, samples: ['w;a'] }] }),
		);
	}
	const { threads } = shot(many);
	assert.ok(threads.length <= 101, `${threads.length} rows of threads`);
	assert.ok(many.reused.length >= 199);
	assert.equal(threads.reduce((n, t) => n + t.count, 0) <= 4, true);
});

test('markers that go on are one, those that are over go; texts stay', () => {
	const ring = makeRing(100e6);
	const marker = (startMs: number, endMs: number) => [
		{ startNs: startMs * 1e6, endNs: endMs * 1e6, name: 'request', text: 'x' },
	];
	addPiece(ring, piece(0, { markers: marker(0, 2), sources: { 'app.py': 'a\nb\n' } }));
	const { sources } = shot(ring);
	addPiece(
		ring,
		piece(2, { markers: marker(-2, 2), losses: [{ timeNs: 0, kind: 'missed', count: 3 }] }),
	);
	const now = shot(ring);
	assert.deepEqual(
		now.markers.map((m) => [m.startNs, m.endNs]),
		[[0, 4e6]],
	);
	assert.deepEqual(now.losses, [{ timeNs: 2e6, kind: 'missed', count: 3 }]);
	assert.equal(now.sources, sources, 'the same object');
	addPiece(ring, piece(1000));
	assert.deepEqual(shot(ring).markers, []);
	assert.deepEqual(shot(ring).losses, []);
});

test('a piece without samples changes nothing but what is said', () => {
	const ring = makeRing(60e9);
	const empty = piece(5000, { threads: [], facts: { ticks: '9' }, durationNs: 0 });
	addPiece(ring, empty);
	assert.equal(captureNow(ring), null);
	addPiece(ring, piece(0));
	const before = shot(ring);
	addPiece(ring, empty);
	const now = shot(ring);
	assert.equal(now.durationNs, before.durationNs);
	assert.deepEqual(told(now), told(before));
	assert.equal(now.facts.get('ticks'), '9');
});

test('counts are those of what is kept', () => {
	const ring = makeRing(10e6);
	const facts = (ticks: number) => ({ ticks: String(ticks), host: 'h', left_out: '3' });
	const at = (ms: number, ticks: number) => {
		addPiece(ring, piece(ms, { facts: facts(ticks) }));
		return shot(ring).facts;
	};
	assert.deepEqual(
		[...at(0, 2)],
		[
			['ticks', '2'],
			['host', 'h'],
		],
	);
	assert.equal(at(4, 6).get('ticks'), '6');
	// 14 ms: those of the first 4 are gone; at 2 there were 2
	assert.equal(at(12, 14).get('ticks'), '12');
	assert.equal(at(20, 22).get('ticks'), '16');
	const late = makeRing(10e6);
	addPiece(late, piece(0, { facts: { ticks: '900', dropped: '5' } }));
	assert.equal(shot(late).facts.has('ticks'), false, 'not known');
});

test('stacks that nobody has any more are let go when there are many', () => {
	const ring = makeRing(20e6);
	ring.thinAt = 100;
	for (let i = 0; i < 400; i++) {
		const samples = [`main;f${i}:1;g${i}:2`, 'main;stays'];
		addPiece(ring, piece(i * 2, { threads: [{ name: 'Main', samples }] }));
		if (ring.thinAt > 100) ring.thinAt = Math.min(ring.thinAt, 100);
	}
	const now = shot(ring);
	assert.ok(ring.thinned > 0);
	assert.ok(now.stacks.count < 400, `${now.stacks.count} stacks`);
	const lines = [...told(now).values()].flat();
	assert.equal(lines.length, 20);
	assert.match(lines.at(-2) ?? '', /main\|.*;f399\|.*;g399\|/);
});

// ---- what is looked at ------------------------------------------------------------------------------

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });
const S = 1e9;
const step = (patch: Partial<Parameters<typeof stepState>[1]> = {}) => ({
	durationNs: 10 * S,
	nextNs: 10 * S,
	byNs: S,
	sample: NONE,
	thinned: false,
	reused: [],
	...patch,
});

test('what was chosen stays, what ends now goes on', () => {
	const chosen = state({ ranges: [{ from: 4 * S, to: 6 * S }], compare: { from: S, to: 2 * S } });
	const next = stepState(chosen, step());
	assert.deepEqual(next.ranges, [{ from: 3 * S, to: 5 * S }]);
	assert.deepEqual(next.compare, { from: 0, to: S });
	const window = (from: number, to: number) =>
		state({ tracks: { ...INITIAL.tracks, window: { from, to } } });
	const windowOf = (s: State, more = {}) => stepState(s, step(more)).tracks.window;
	assert.deepEqual(windowOf(window(2 * S, 4 * S)), { from: S, to: 3 * S });
	assert.deepEqual(windowOf(window(8 * S, 10 * S)), { from: 8 * S, to: 10 * S });
	assert.deepEqual(windowOf(window(8 * S, 9.99 * S)), { from: 8.01 * S, to: 10 * S });
	const growing = { byNs: 0, nextNs: 11 * S };
	assert.deepEqual(windowOf(window(8 * S, 10 * S), growing), { from: 9 * S, to: 11 * S });
	assert.deepEqual(stepState(INITIAL, step()), INITIAL);
	assert.ok(endsNow({ from: 0, to: 10 }, 10));
	assert.ok(!endsNow({ from: 0, to: 5 }, 10));
});

test('the last seconds, and those of some minutes ago', () => {
	const last = stepState(state({ last: 3 * S }), step());
	assert.deepEqual(last.ranges, [{ from: 7 * S, to: 10 * S }]);
	assert.equal(last.compare, null);
	assert.deepEqual(askedRanges({ last: 2 * S, ago: 5 * S }, 10 * S), {
		ranges: [{ from: 8 * S, to: 10 * S }],
		compare: { from: 3 * S, to: 5 * S },
	});
	// not so much is kept: the oldest
	assert.deepEqual(askedRanges({ last: 2 * S, ago: 60 * S }, 10 * S)?.compare, {
		from: 0,
		to: 2 * S,
	});
	assert.equal(askedRanges({ last: 0, ago: S }, 10 * S), null);
	assert.deepEqual(agoOf(600 * S, 3600 * S), { last: 60 * S, ago: 600 * S });
	assert.deepEqual(agoOf(600 * S, 20 * S), { last: 10 * S, ago: 600 * S });
});

test('who chooses a range by hand ends what goes on', () => {
	const ranges = [{ from: 0, to: 1 }];
	const now = state({ last: 5, ago: 7 });
	assert.deepEqual(byHand({ ranges }, now, 9), { ranges, last: 0, ago: 0 });
	assert.deepEqual(byHand({ view: 'table' }, now, 9), { view: 'table' });
	assert.deepEqual(byHand({ ago: 0, last: 4 }, now, 9), {
		ago: 0,
		last: 4,
		ranges: [{ from: 5, to: 9 }],
		compare: null,
	});
	assert.equal(chosenSince(state({ ranges })), 0);
	assert.equal(chosenSince(state({ ranges, last: 1 })), Infinity);
	assert.equal(chosenSince(state({ compare: { from: 3, to: 4 } })), 3);
	assert.equal(chosenSince(INITIAL), Infinity);
});

test('rows that mean something else are let go', () => {
	const tracks = { ...INITIAL.tracks, hidden: [1, 2, 5] };
	const next = stepState(state({ tracks, lane: 2, zoom: [1, 2] }), step({ reused: [2, 3] }));
	assert.deepEqual(next.tracks.hidden, [1, 5]);
	assert.equal(next.lane, INITIAL.lane);
	assert.deepEqual(next.zoom, [1, 2]);
	assert.deepEqual(stepState(next, step({ thinned: true })).zoom, []);
});

test('addresses say times of the recording, so that "back" finds them later', () => {
	const chosen = state({
		ranges: [{ from: 4 * S, to: 6 * S }],
		compare: { from: S, to: 2 * S },
		sample: 5,
		tracks: { ...INITIAL.tracks, window: { from: 3 * S, to: 7 * S } },
	});
	const out = outward(chosen, 100 * S, 10 * S);
	assert.deepEqual(out.ranges, [{ from: 104 * S, to: 106 * S }]);
	assert.equal(out.sample, NONE);
	const back = inward(out, 102 * S, 10 * S);
	assert.deepEqual(back.ranges, [{ from: 2 * S, to: 4 * S }]);
	assert.deepEqual(back.compare, { from: -S, to: 0 });
	assert.deepEqual(back.tracks.window, { from: S, to: 5 * S });
	const follows = outward(state({ ...chosen, last: S }), 100 * S, 10 * S);
	assert.deepEqual([follows.ranges, follows.compare], [[], null]);
	assert.deepEqual(inward(follows, 0, 10 * S).ranges, [{ from: 9 * S, to: 10 * S }]);
});

test('a link from another time', () => {
	const link = state({
		view: 'table',
		mode: 'cpu',
		func: 3,
		sample: 4,
		zoom: [1],
		lane: 3,
		ranges: [{ from: 0, to: 1 }],
		transforms: [
			{ kind: 'drop', func: 3 },
			{ kind: 'library', module: 'json' },
		],
	});
	const first = fromLink(link, 10 * S);
	assert.deepEqual(
		first,
		state({ view: 'table', mode: 'cpu', transforms: [{ kind: 'library', module: 'json' }] }),
	);
});

test('the selected sample is found again', () => {
	const ring = makeRing(6e6);
	addPiece(ring, piece(0, { threads: [{ samples: ['a', 'b', 'c', 'd'] }] }));
	const before = shot(ring);
	addPiece(ring, piece(4, { threads: [{ samples: ['e', 'f', 'g', 'h'] }] }));
	const next = shot(ring);
	const byNs = Number(next.startNs - before.startNs);
	assert.equal(byNs, 2e6);
	assert.deepEqual(
		[0, 1, 2, 3, NONE, 99].map((row) => sampleIn(before, next, row, byNs)),
		[NONE, NONE, 0, 1, NONE, NONE],
	);
});

// ---- the stream -------------------------------------------------------------------------------------

test('pieces are the same however the bytes come', () => {
	const random = makeRandom(15);
	for (let i = 0; i < 200; i++) {
		const pieces = Array.from({ length: random(6) }, () =>
			Uint8Array.from({ length: random(4) ? random(300) : 0 }, () => random(256)),
		);
		const bytes = pieces.flatMap((p) => [p.length & 255, p.length >> 8, 0, 0, ...p]);
		const splitter = makeSplitter();
		const got: number[][] = [];
		for (let at = 0; at < bytes.length; ) {
			const to = at + 1 + random(random(3) ? 40 : 700);
			for (const p of splitter.add(Uint8Array.from(bytes.slice(at, to)))) got.push([...p]);
			at = to;
		}
		assert.deepEqual(
			got,
			pieces.filter((p) => p.length > 0).map((p) => [...p]),
		);
	}
	assert.throws(() => makeSplitter().add(Uint8Array.of(0, 0, 0, 255, 1)), /damaged/);
});

test('samples a second, by the clock of the recording', () => {
	let now = 0;
	const meter = makeMeter(() => now);
	assert.equal(meter.perSecond(), 0);
	meter.add(60_000, 600 * S); // the whole ring at first
	assert.equal(meter.perSecond(), 0);
	for (let i = 1; i <= 10; i++) meter.add(200, (600 + i) * S);
	assert.equal(Math.round(meter.perSecond()), 200);
	now = 3000;
	meter.add(0, 611 * S);
	assert.equal(meter.silentMs(), 3000);
});

test('what the bar says', () => {
	const live: LiveState = {
		link: { is: 'live' },
		status: { sampling: true, ended: false },
		paused: false,
		behindNs: 0,
		perSecond: 990.4,
		silentMs: 100,
		againMs: 0,
	};
	const say = (patch: Partial<LiveState>) => {
		const { mood, text, more } = headline({ ...live, ...patch });
		return `${mood}: ${text}, ${more}`;
	};
	assert.equal(say({}), 'live: Live, 990 samples/s');
	assert.equal(say({ silentMs: 70_000 }), 'idle: Live, no samples for 1 min 10 s');
	assert.equal(say({ paused: true, behindNs: 12 * S }), 'idle: Paused, 12 s more have come since');
	assert.match(say({ status: { sampling: false, ended: false } }), /^idle: Sampling is stopped/);
	assert.match(say({ status: { sampling: true, ended: true } }), /^idle: The program has ended/);
	const lost = { is: 'lost', why: 'gone', againMs: 4000 } as const;
	assert.equal(say({ link: lost, againMs: 3200 }), 'bad: Connection lost, gone, again in 4 s');
	assert.equal(say({ link: { is: 'refused', why: 'wrong token' } }), 'bad: Refused, wrong token');
	assert.deepEqual(
		[span(40 * S), span(60 * S), span(80 * S), span(0)],
		['40 s', '1 min', '1 min 20 s', '0 s'],
	);
});

test('what a page says of its server', () => {
	assert.deepEqual(readConfig('{"base":"/x/","keep_ns":5,"token":"t"}'), {
		base: '/x/',
		keepNs: 5,
		token: 't',
	});
	assert.deepEqual(readConfig('{"base":7}'), { base: '/', keepNs: 600e9, token: '' });
	assert.throws(() => readConfig('no JSON'));
});

// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Range, State, Transform } from '../src/app/state.js';
import { INITIAL, VIEWS } from '../src/app/state.js';
import { readState, writeState } from '../src/app/url.js';

/** Numbers that are the same in every run. */
function makeRandom(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

type Random = (below: number) => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

const PIECES = [
	'a',
	'Z',
	'0',
	' ',
	'+',
	'&',
	'=',
	'#',
	'%',
	'%41',
	',',
	'.',
	'/',
	';',
	'\u00e9',
	'\n',
	'\u{1f525}',
	'"',
	'<script>',
	'\\',
	'?',
	'(',
	')',
	'|',
	'[',
	'..',
	'-',
	'\u202e',
	'\0',
	"'",
];

function randomText(random: Random): string {
	return Array.from({ length: random(8) }, () => pick(random, PIECES)).join('');
}

function randomTime(random: Random): number {
	const scale = pick(random, [1, 1000, 1e6, 1e9, 60e9, 3600e9]);
	return random(1000) * scale + (random(2) ? random(1e9) : 0);
}

function randomRange(random: Random): Range {
	const from = randomTime(random);
	return { from, to: from + 1 + randomTime(random) };
}

function randomRanges(random: Random): Range[] {
	const ranges: Range[] = [];
	for (let n = random(4); n > 0; n--) {
		const { from, to } = ranges.at(-1) ?? randomRange(random);
		if (to - from < 4) break;
		const inner = from + random(Math.floor((to - from) / 2));
		ranges.push({ from: inner, to: inner + 1 + random(to - inner) });
	}
	return ranges;
}

const rows = (random: Random): number[] =>
	[...new Set(Array.from({ length: random(7) }, () => random(40)))].sort((a, b) => a - b);

function randomTransform(random: Random): Transform {
	const kind = pick(random, [
		'focus',
		'only',
		'drop',
		'merge',
		'recursion',
		'library',
		'path',
	] as const);
	if (kind === 'library') return { kind, module: randomText(random) };
	if (kind === 'path') return { kind, funcs: [random(100), ...rows(random)] };
	if (kind === 'recursion' && random(2)) return { kind, func: -1 };
	return { kind, func: random(1e6) };
}

function randomState(random: Random): State {
	const some = <T>(value: () => T, initial: T): T => (random(2) ? value() : initial);
	return {
		view: pick(random, VIEWS),
		ranges: randomRanges(random),
		compare: some(() => randomRange(random), null),
		last: some(() => randomTime(random), 0),
		ago: some(() => randomTime(random), 0),
		spans: randomText(random),
		against: randomText(random),
		mode: pick(random, ['wall', 'cpu', 'gil', 'idle']),
		unit: pick(random, ['time', 'samples', 'percent']),
		granularity: pick(random, ['lines', 'functions', 'files', 'modules']),
		inverted: random(2) === 1,
		leaves: random(2) === 1,
		widths: pick(random, ['now', 'before']),
		lane: pick(random, [-1, -2, 0, 3]),
		colouring: pick(random, ['module', 'file', 'state', 'diff']),
		tracks: {
			hidden: rows(random),
			merged: random(2) === 1,
			order: pick(random, ['main', 'start', 'name', 'busy']),
			window: some(() => randomRange(random), null),
		},
		transforms: Array.from({ length: random(4) }, () => randomTransform(random)),
		zoom: some(() => Array.from({ length: random(5) }, () => random(4000) - random(2000)), []),
		search: { text: randomText(random), regex: random(2) === 1, caseSensitive: random(2) === 1 },
		sample: some(() => random(1e6), -1),
		func: some(() => random(1e6), -1),
		line: random(3) * 7,
		sort: pick(random, ['self', '-name', 'total']),
		filter: randomText(random),
		theme: pick(random, ['auto', 'light', 'dark']),
	};
}

test('every state comes back from its address', () => {
	const random = makeRandom(7);
	for (let i = 0; i < 4000; i++) {
		const state = randomState(random);
		const fragment = writeState(state);
		assert.deepEqual(readState(fragment), state, fragment);
		assert.match(fragment, /^[\x21-\x7e]*$/, 'nothing that a browser would change');
		assert.deepEqual(readState(`#${fragment}`), state, 'with its #');
	}
});

test('an address says only what is not as usual', () => {
	assert.equal(writeState(INITIAL), '');
	assert.equal(writeState({ ...INITIAL, view: 'table', mode: 'cpu' }), 'view=table&mode=cpu');
	const ranges = [
		{ from: 1.2e9, to: 3.5e9 },
		{ from: 2e9, to: 2_000_730_000 },
	];
	assert.equal(writeState({ ...INITIAL, ranges }), 'range=1.2s..3.5s,2s..2.00073s');
	const tracks = { ...INITIAL.tracks, hidden: [9, 3, 4, 5, 1] };
	assert.equal(writeState({ ...INITIAL, tracks }), 'hidden=1,3-5,9');
});

test('transforms keep their order, and read as what they do', () => {
	const transforms: Transform[] = [
		{ kind: 'drop', func: 17 },
		{ kind: 'library', module: 'a&b=c,d' },
		{ kind: 'drop', func: 3 },
		{ kind: 'recursion', func: -1 },
		{ kind: 'path', funcs: [4, 0] },
	];
	const fragment = writeState({ ...INITIAL, transforms });
	assert.equal(fragment, 'drop=17&library=a%26b%3Dc,d&drop=3&recursion=all&path=4.0');
	assert.deepEqual(readState(fragment).transforms, transforms);
});

test('what people write by hand is understood', () => {
	const state = readState('range=0.5..2,1000ms..1.5&compare=1e-3s..2min&search=load+json&inverted');
	assert.deepEqual(state.ranges, [
		{ from: 5e8, to: 2e9 },
		{ from: 1e9, to: 1.5e9 },
	]);
	assert.deepEqual(state.compare, { from: 1e6, to: 120e9 });
	assert.equal(state.search.text, 'load json');
	assert.equal(state.inverted, true);
	assert.equal(readState('inverted=0&leaves=no').inverted, false);
});

test('what is not understood is left as it was', () => {
	const nonsense = [
		'view=nothing',
		'range=2..1',
		'range=a..b',
		'range=1..2..3',
		'mode=',
		'&&&',
		'=',
		'%',
		'%E0%A4%A',
		'search',
		'zoom=1.x',
		'zoom=99999999999',
		'sample=-5',
		'sample=1e3',
		'drop=x',
		'drop',
		'drop=-1',
		'path=',
		'path=1.-2',
		'lane=-7',
		'__proto__=1',
		'constructor=2',
		'hidden=a,b',
		'theme=neon',
		'unknown=1',
	];
	for (const fragment of nonsense) assert.deepEqual(readState(fragment), INITIAL, fragment);
});

test('ranges that do not lie within each other end there', () => {
	const { ranges } = readState('range=1..5,2..4,0..3,2..3');
	assert.deepEqual(ranges, [
		{ from: 1e9, to: 5e9 },
		{ from: 2e9, to: 4e9 },
	]);
});

test('no address takes long or throws', () => {
	const random = makeRandom(11);
	const words = [
		'range=',
		'hidden=',
		'0-999999999',
		',',
		'&',
		'..',
		'zoom=',
		'1.',
		'%',
		'drop=1',
		'=',
		'path=',
	];
	for (let i = 0; i < 500; i++) {
		const fragment = Array.from({ length: random(400) }, () => pick(random, words)).join('');
		const state = readState(fragment);
		assert.ok(state.tracks.hidden.length <= 10000);
		assert.deepEqual(readState(writeState(state)), state, fragment);
	}
});

test('halves of characters do no harm', () => {
	const state = { ...INITIAL, filter: 'a\ud800b' };
	assert.equal(readState(writeState(state)).filter, 'a\ufffdb');
});

// SPDX-License-Identifier: MIT
/** Random captures and states, the same for the same seed. */
import { INITIAL, type State, type Transform } from '../src/app/state.js';
import { type Capture, NONE } from '../src/data/capture.js';
import { makeCapture } from './make.js';

/** Numbers from 0 to below n (mulberry32). */
export function makeRandom(seed: number): (n: number) => number {
	let state = seed;
	return (n) => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
	};
}

type Random = (n: number) => number;

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)];

const FUNCTIONS = [
	'main',
	'work',
	'a@lib/python3.11/json/x.py',
	'b@lib/python3.11/json/y.py',
	'a@pkg/x.py',
	'c@/v/site-packages/json/x.py',
	'd@/v/site-packages/req/y.py',
	'e@',
	'f@',
];

function frameText(random: Random): string {
	const line = random(3);
	return pick(random, FUNCTIONS) + (line ? `:${line}` : '');
}

function stackText(random: Random, roots: boolean): string {
	const frames = roots ? [pick(random, ['#one', '#two'])] : [];
	if (random(12) === 0) return [...frames, '(no Python frame)'].join(';');
	for (let depth = 1 + random(6); depth > 0; depth--) frames.push(frameText(random));
	if (random(10) === 0) frames.push('(truncated)');
	return frames.join(';');
}

function sampleText(random: Random, roots: boolean, weighted: boolean): string {
	const words = [pick(random, ['cpu', 'ready', 'wait', 'stop', 'unknown'])];
	if (random(3) === 0) words.push('gil');
	if (random(5) === 0) words.push('gc');
	if (weighted) words.push(`x${random(5)}`);
	return `${stackText(random, roots)} ! ${words.join(' ')}`;
}

/** Up to 4 threads of up to 40 samples, of few functions, so that much of it is the same. */
export function randomCapture(random: Random): Capture {
	const roots = random(4) === 0;
	const weighted = random(3) === 0;
	const threads = Array.from({ length: 1 + random(4) }, (_, row) => ({
		name: `thread ${row % 3}`,
		samples: Array.from({ length: random(40) }, () => sampleText(random, roots, weighted)),
	}));
	return makeCapture({ threads });
}

function randomTransform(random: Random, c: Capture): Transform {
	const func = random(c.functions.count + 1) - (random(2) ? 0 : 1);
	const kinds = [
		'focus',
		'only',
		'drop',
		'merge',
		'merge',
		'recursion',
		'library',
		'path',
	] as const;
	const kind = pick(random, kinds);
	if (kind === 'library') return { kind, module: pick(random, ['json', 'req', 'pkg', 'app', '']) };
	if (kind === 'path') {
		const stack = c.stacks.count ? random(c.stacks.count) : NONE;
		const funcs: number[] = [];
		for (let s = stack; s !== NONE; s = c.stacks.parent[s]) {
			funcs.push(c.frames.func[c.stacks.frame[s]]);
		}
		return { kind, funcs: funcs.reverse().slice(0, random(3)) };
	}
	return { kind, func: kind === 'recursion' && random(2) ? NONE : func };
}

export function randomState(random: Random, c: Capture): State {
	const time = (): number => random(44) * 1e6 - 2e6;
	const range = { from: time(), to: time() };
	return {
		...INITIAL,
		mode: pick(random, ['wall', 'wall', 'cpu', 'gil', 'idle']),
		granularity: pick(random, ['lines', 'functions', 'files', 'modules']),
		transforms: Array.from({ length: random(4) }, () => randomTransform(random, c)),
		ranges: random(2) ? [range] : [],
		tracks: {
			...INITIAL.tracks,
			hidden: c.threads.map((t) => t.row).filter(() => random(4) === 0),
		},
	};
}

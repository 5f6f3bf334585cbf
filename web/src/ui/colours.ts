// SPDX-License-Identifier: MIT
/**
 * Colours of frames and states, for light and dark; CSS variables of style/main.css say the same.
 *
 * Warm is the program's own code, green packages, blue the standard library, violet threads, grey
 * what is no code (marks). Within these a tone by hash, of the module and a little of the name, so
 * that neighbours can be told apart and a function looks the same in every view and every page.
 * Nothing is told by red against green alone, and every fill bears its label at 4.5:1 (textOn()).
 */
import type { Colouring } from '../app/state.js';
import { FunctionKind, Origin } from '../data/capture.js';
import type { ShownTables } from '../model/shown.js';

export interface Theme {
	readonly dark: boolean;
	readonly back: string;
	readonly text: string;
	readonly dim: string; // text of less weight
	readonly faint: string; // grid, borders
	readonly accent: string; // selection
	readonly match: string; // of a search
	readonly common: string; // the common base with the selected sample
	readonly pooled: string; // ground of what stands for many
	readonly hatch: string; // the lines on it
	readonly states: {
		readonly running: string;
		readonly runnable: string;
		readonly waiting: string;
		readonly gilHeld: string;
		readonly gilWait: string;
		readonly gc: string;
		readonly lost: string;
		readonly unknown: string;
	};
}

export const LIGHT: Theme = {
	dark: false,
	back: '#fcfbf9',
	text: '#201c19',
	dim: '#6b635c',
	faint: '#e0d9d1',
	accent: '#b4500f',
	match: '#d6006c',
	common: '#2b6fd6',
	pooled: '#ece7e1',
	hatch: '#c4bbb0',
	states: {
		running: '#f5b041',
		runnable: '#f7e463',
		waiting: '#9cc6ea',
		gilHeld: '#e36a2e',
		gilWait: '#b87fd0',
		gc: '#2fa58a',
		lost: '#4d453e',
		unknown: '#d6d1cb',
	},
};

export const DARK: Theme = {
	dark: true,
	back: '#171513',
	text: '#f2ede7',
	dim: '#a79e94',
	faint: '#3a342f',
	accent: '#ff9a52',
	match: '#ff5aa5',
	common: '#6aa7ff',
	pooled: '#2d2925',
	hatch: '#5a5149',
	states: {
		running: '#e8a035',
		runnable: '#e3cf4a',
		waiting: '#86b8e0',
		gilHeld: '#d4632c',
		gilWait: '#a970c4',
		gc: '#14b88f',
		lost: '#c9c0b6',
		unknown: '#8a847d',
	},
};

const words = (text: string): readonly string[] => text.split(' ').map((rgb) => `#${rgb}`);

interface Tones {
	readonly own: readonly string[];
	readonly packages: readonly string[];
	readonly stdlib: readonly string[];
	readonly threads: readonly string[];
	readonly marks: readonly string[];
	readonly wheel: readonly string[]; // for files: hues far apart
	readonly more: readonly string[]; // differences, the smallest first
	readonly less: readonly string[];
	readonly same: string;
}

const LIGHT_TONES: Tones = {
	own: words('ff8f62 f7aa4e ffad74 e8a932 fdaa5b ffaf81 f0a941 ffac68'),
	packages: words('8dcfab 8bd8cc a2e1c9 7dd2cf 93dbcb aae3c8 84d5cd 9adeca'),
	stdlib: words('92c3e4 afc6f0 b0d2f4 afbdec afcaf2 b1d6f5 afc1ee afcef3'),
	threads: words('cdc7db d6cbdc d9d2e2 d5c7d8 d7cede dad4e4 d5c9da d8d0e0'),
	marks: words('d8d5d1 dddbd8 e2e1de d9d7d3 dfddda e4e3e0 dbd9d6 e0dfdc'),
	wheel: words(
		'f5a9a0 f2b27e dcc264 b5cf77 8ad6a0 6fd6c6 7ccfe8 a0c2f5 c3b4f3 e2abdd d9c7a5 b9c7c2',
	),
	more: words('f8d3c2 f7c3af f6b29d f5a28a f39177 f28164 f17052 f0603f'),
	less: words('cfe0f1 bed7ef aecdec 9dc4ea 8dbbe7 7cb2e5 6ca8e2 5b9fe0'),
	same: '#e3dfda',
};

const DARK_TONES: Tones = {
	own: words('e9754b e29130 f4965e d48f00 e99241 f8986c db9019 ee9450'),
	packages: words('5dab86 59b4a8 72bca4 49adac 62b7a7 7bbfa3 51b1aa 6ab9a5'),
	stdlib: words('62a0ca 87a1d5 85aed7 8a97d2 86a5d6 86b2d7 889cd3 86a9d7'),
	threads: words('958ea4 9f92a5 a198ab 9d8ea1 9f94a7 a29bad 9e90a3 a096a9'),
	marks: words('83807b 878580 8c8a86 84827d 898782 8e8c88 85837f 8a8884'),
	wheel: words(
		'cf837a cb8c58 b59b3c 8ea852 64af7b 47afa0 55a8c1 7a9bce 9c8ecc ba86b6 b1a07f 92a09b',
	),
	more: words('b08d80 b98878 c2826f cb7d67 d3785f dc7357 e56d4e ee6846'),
	less: words('8496a8 7c96b0 7596b7 6d96bf 6697c6 5e97ce 5797d5 4f97dd'),
	same: '#807b75',
};

const LABEL = '#1b1714'; // on light fills

/** As the page shows itself: its data-theme, else what the browser prefers. */
export function currentTheme(): Theme {
	const chosen = document.documentElement.dataset.theme;
	if (chosen === 'light' || chosen === 'dark') return chosen === 'dark' ? DARK : LIGHT;
	return matchMedia('(prefers-color-scheme: dark)').matches ? DARK : LIGHT;
}

/** A number from a text, the same in every page (FNV-1a and a last stir). 32 bits, not negative. */
export function hashText(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
	return (hash ^ (hash >>> 13)) >>> 0;
}

function tonesOf(theme: Theme): Tones {
	return theme.dark ? DARK_TONES : LIGHT_TONES;
}

function familyOf(tones: Tones, tables: ShownTables, func: number): readonly string[] {
	const kind = tables.funcKind[func];
	if (kind === FunctionKind.Thread) return tones.threads;
	if (kind === FunctionKind.Mark) return tones.marks;
	const origin = tables.funcOrigin[func];
	if (origin === Origin.Package) return tones.packages;
	return origin === Origin.Stdlib ? tones.stdlib : tones.own;
}

function makeColour(theme: Theme, tables: ShownTables, func: number, how: Colouring): string {
	const tones = tonesOf(theme);
	const kind = tables.funcKind[func];
	const file = tables.funcFile[func] ?? '';
	if (how === 'state' || how === 'diff') return tones.same;
	if (how === 'file' && file !== '' && kind !== FunctionKind.Thread) {
		return tones.wheel[hashText(file) % tones.wheel.length] ?? tones.same;
	}
	const family = familyOf(tones, tables, func);
	const tone =
		hashText(tables.funcModule[func] ?? '') + (hashText(tables.funcName[func] ?? '') % 3);
	return family[tone % family.length] ?? tones.same;
}

const kept = new WeakMap<ShownTables, Map<string, readonly string[]>>();

/** functionColour() of all functions of the tables; kept with them. */
export function functionColours(
	theme: Theme,
	tables: ShownTables,
	how: Colouring,
): readonly string[] {
	const key = `${how}${theme.dark ? ' dark' : ''}`;
	const ways = kept.get(tables) ?? new Map<string, readonly string[]>();
	const known = ways.get(key);
	if (known) return known;
	const made: string[] = [];
	for (let f = 0; f < tables.funcCount; f++) made.push(makeColour(theme, tables, f, how));
	ways.set(key, made);
	kept.set(tables, ways);
	return made;
}

/**
 * Fill of a function's boxes. The same name has the same colour in every view and every page. By
 * state and by difference a function has none of its own: grey.
 */
export function functionColour(
	theme: Theme,
	tables: ShownTables,
	func: number,
	how: Colouring,
): string {
	return functionColours(theme, tables, how)[func] ?? tonesOf(theme).same;
}

/**
 * For diffs: share now minus share before (-1 .. 1): red more, blue less, grey the same. Small
 * differences are spread out: a fifth of everything has the last tone.
 */
export function differenceColour(theme: Theme, difference: number): string {
	const tones = tonesOf(theme);
	const size = Math.abs(difference);
	if (!(size >= 0.0005)) return tones.same;
	const way = difference > 0 ? tones.more : tones.less;
	const step = Math.min(way.length - 1, Math.floor(Math.sqrt(size / 0.2) * way.length));
	return way[step] ?? tones.same;
}

/** Fills for Side.shares and Tree.shares, in their order: on processor, runnable, waiting, other. */
export function shareColours(theme: Theme): readonly string[] {
	const { running, runnable, waiting, unknown } = theme.states;
	return [running, runnable, waiting, unknown];
}

/** What the colours of a colouring mean: fill and word, for a legend. */
export function legendOf(theme: Theme, how: Colouring): readonly (readonly [string, string])[] {
	const tones = tonesOf(theme);
	const at = (list: readonly string[], i: number): string => list[i] ?? tones.same;
	if (how === 'state') {
		const fills = shareColours(theme);
		return ['on processor', 'ready to run', 'waiting', 'not known'].map((w, i) => [
			at(fills, i),
			w,
		]);
	}
	if (how === 'diff') {
		return [
			[at(tones.less, 6), 'much less'],
			[at(tones.less, 1), 'less'],
			[tones.same, 'same'],
			[at(tones.more, 1), 'more'],
			[at(tones.more, 6), 'much more'],
		];
	}
	if (how === 'file') return [];
	return [
		[at(tones.own, 1), 'own code'],
		[at(tones.packages, 4), 'packages'],
		[at(tones.stdlib, 4), 'standard library'],
		[at(tones.threads, 4), 'threads'],
		[at(tones.marks, 4), 'no code'],
	];
}

/** Red, green and blue (0 .. 255) of "#rrggbb". */
export function rgbOf(colour: string): readonly [number, number, number] {
	const n = Number.parseInt(colour.slice(1, 7), 16);
	return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** `a` with `share` (0 .. 1) of `b`. */
export function mixColours(a: string, b: string, share: number): string {
	const [from, to] = [rgbOf(a), rgbOf(b)];
	const part = (i: 0 | 1 | 2): string =>
		Math.round(from[i] + (to[i] - from[i]) * share)
			.toString(16)
			.padStart(2, '0');
	return `#${part(0)}${part(1)}${part(2)}`;
}

function luminance(colour: string): number {
	const linear = (v: number): number => {
		const s = v / 255;
		return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
	};
	const [r, g, b] = rgbOf(colour);
	return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** Contrast of two colours as WCAG has it: 1 .. 21. */
export function contrast(a: string, b: string): number {
	const [x, y] = [luminance(a), luminance(b)];
	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const labels = new Map<string, string>();

/** Colour of a label on a fill: dark if that reads, else white; one of them and black does. */
export function textOn(fill: string): string {
	let label = labels.get(fill);
	if (label === undefined) {
		const reads = (ink: string): boolean => contrast(fill, ink) >= 4.5;
		label = [LABEL, '#ffffff'].find(reads) ?? '#000000';
		labels.set(fill, label);
	}
	return label;
}

const faints = new Map<string, string>();

/** For what is less important than the label: weaker than textOn(), if that still reads. */
export function faintOn(fill: string): string {
	let ink = faints.get(fill);
	if (ink === undefined) {
		const full = textOn(fill);
		const weaker = [0.72, 0.8, 0.88].map((share) => mixColours(fill, full, share));
		ink = weaker.find((colour) => contrast(fill, colour) >= 4.5) ?? full;
		faints.set(fill, ink);
	}
	return ink;
}

// SPDX-License-Identifier: MIT
/**
 * The state in the fragment of the address, short and fit to be edited by hand:
 *
 *	view=table&range=1.2s..3.5s,2s..2.1s&mode=cpu&drop=17&library=json&search=load&sort=-name
 *
 * Transforms are keys of their own, in their order. Times are seconds unless they say otherwise.
 */
import type { Range, State, Transform } from './state.js';
import { INITIAL, VIEWS } from './state.js';

const MODES: readonly State['mode'][] = ['wall', 'cpu', 'gil', 'idle'];
const UNITS: readonly State['unit'][] = ['time', 'samples', 'percent'];
const LEVELS: readonly State['granularity'][] = ['lines', 'functions', 'files', 'modules'];
const COLOURINGS: readonly State['colouring'][] = ['module', 'file', 'state', 'diff'];
const ORDERS: readonly State['tracks']['order'][] = ['main', 'start', 'name', 'busy'];
const THEMES: readonly State['theme'][] = ['auto', 'light', 'dark'];

const MOST = 10000; // numbers of a list, and transforms; more is no state that someone made

// ---- values ---------------------------------------------------------------------------------------

/** Text as a value: only what would part it, or what browsers would change, is escaped. */
function writeText(text: string): string {
	// what is no text at all (half of a pair) cannot be escaped
	const whole = text.replace(
		/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
		'\ufffd',
	);
	return encodeURIComponent(whole).replace(/%(2C|2F|3A|3B|3F|40|24|5B|5D|7C)/g, (code) =>
		decodeURIComponent(code),
	);
}

function readText(text: string): string {
	try {
		return decodeURIComponent(text.replaceAll('+', '%20'));
	} catch {
		return text;
	}
}

const SCALES: Readonly<Record<string, number>> = {
	ns: 1,
	us: 1e3,
	'\u00b5s': 1e3,
	ms: 1e6,
	s: 1e9,
	min: 60e9,
	h: 3600e9,
};

/** Whole nanoseconds in the largest unit that needs no more digits: "1.5s", "20ms", "730ns". */
function writeTime(ns: number): string {
	const whole = Math.round(ns);
	if (whole === 0) return '0s';
	const texts = ['s', 'ms', 'us', 'ns'].map((unit) => {
		const scale = SCALES[unit] ?? 1;
		const digits = Math.round(Math.log10(scale));
		const text = digits ? (whole / scale).toFixed(digits).replace(/\.?0+$/, '') : String(whole);
		return text + unit;
	});
	// binary fractions of very long times may not come back: then say it in nanoseconds
	const exact = texts.filter((text) => readTime(text) === whole);
	return exact.reduce((a, b) => (b.length < a.length ? b : a), exact[0] ?? `${whole}ns`);
}

function readTime(text: string): number | null {
	const match = /^(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(ns|us|\u00b5s|ms|s|min|h)?$/i.exec(
		text.trim(),
	);
	if (!match) return null;
	const ns = Math.round(Number(match[1]) * (SCALES[(match[2] ?? 's').toLowerCase()] ?? 1e9));
	return Number.isSafeInteger(ns) ? ns + 0 : null;
}

const writeRange = (range: Range): string => `${writeTime(range.from)}..${writeTime(range.to)}`;

function readRange(text: string): Range | null {
	const [from, to, ...more] = text.split('..').map(readTime);
	if (from == null || to == null || more.length || !(from < to)) return null;
	return { from, to };
}

/** Rows in rising order as "1,3,7-9". */
function writeRows(rows: readonly number[]): string {
	const sorted = [...new Set(rows)].sort((a, b) => a - b);
	const runs: string[] = [];
	for (let i = 0; i < sorted.length; ) {
		let end = i;
		while (end + 1 < sorted.length && sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
		runs.push(end > i ? `${sorted[i]}-${sorted[end]}` : String(sorted[i]));
		i = end + 1;
	}
	return runs.join(',');
}

function readRows(text: string): number[] {
	const rows = new Set<number>();
	for (const run of text.split(',')) {
		const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(run.trim());
		if (!match) continue;
		const first = Number(match[1]);
		const last = Math.min(Number(match[2] ?? first), first + MOST);
		for (let row = first; row <= last && rows.size < MOST; row++) rows.add(row);
	}
	return [...rows].sort((a, b) => a - b);
}

/** "1.2.-5": whole numbers, also below 0; null if one is none. */
function readNumbers(text: string): number[] | null {
	const numbers = text
		.split('.')
		.map((word) => (/^-?\d{1,10}$/.test(word) ? Number(word) : Number.NaN));
	return numbers.every(Number.isSafeInteger) && numbers.length <= MOST ? numbers : null;
}

function readRow(text: string): number | null {
	return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

// ---- transforms -----------------------------------------------------------------------------------

function writeTransform(t: Transform): string {
	if (t.kind === 'library') return `library=${writeText(t.module)}`;
	if (t.kind === 'path') return `path=${t.funcs.join('.')}`;
	return `${t.kind}=${t.kind === 'recursion' && t.func < 0 ? 'all' : t.func}`;
}

function readTransform(kind: string, value: string): Transform | null {
	const row = readRow(value);
	switch (kind) {
		case 'library':
			return { kind, module: value };
		case 'path': {
			const funcs = readNumbers(value);
			return funcs?.every((f) => f >= 0) ? { kind, funcs } : null;
		}
		case 'recursion':
			return value === 'all' ? { kind, func: -1 } : row === null ? null : { kind, func: row };
		case 'focus':
		case 'only':
		case 'drop':
		case 'merge':
			return row === null ? null : { kind, func: row };
		default:
			return null;
	}
}

// ---- the whole ------------------------------------------------------------------------------------

/** What differs from INITIAL, as "view=table&mode=cpu&..."; "" if nothing does. */
export function writeState(state: State): string {
	const words: string[] = [];
	const word = (key: string, value: string | number, initial: string | number): void => {
		if (value !== initial) words.push(`${key}=${writeText(String(value))}`);
	};
	const flag = (key: string, value: boolean): void => {
		if (value) words.push(key);
	};
	const { tracks, search } = state;
	word('view', state.view, INITIAL.view);
	word('range', state.ranges.map(writeRange).join(','), '');
	word('compare', state.compare ? writeRange(state.compare) : '', '');
	word('last', writeTime(state.last), '0s');
	word('ago', writeTime(state.ago), '0s');
	word('spans', state.spans, '');
	word('against', state.against, '');
	word('mode', state.mode, INITIAL.mode);
	word('unit', state.unit, INITIAL.unit);
	word('by', state.granularity, INITIAL.granularity);
	flag('inverted', state.inverted);
	flag('leaves', state.leaves);
	word('widths', state.widths, INITIAL.widths);
	word('lane', state.lane === -2 ? 'all' : state.lane, INITIAL.lane);
	word('colour', state.colouring, INITIAL.colouring);
	word('hidden', writeRows(tracks.hidden), '');
	flag('merged', tracks.merged);
	word('order', tracks.order, INITIAL.tracks.order);
	word('window', tracks.window ? writeRange(tracks.window) : '', '');
	words.push(...state.transforms.map(writeTransform));
	word('zoom', state.zoom.join('.'), '');
	word('search', search.text, '');
	flag('plain', !search.regex);
	flag('case', search.caseSensitive);
	word('sample', state.sample, INITIAL.sample);
	word('func', state.func, INITIAL.func);
	word('line', state.line, INITIAL.line);
	word('sort', state.sort, INITIAL.sort);
	word('filter', state.filter, INITIAL.filter);
	word('theme', state.theme, INITIAL.theme);
	return words.join('&');
}

type Words = ReadonlyMap<string, string>;

function oneOf<T extends string>(words: Words, key: string, list: readonly T[], initial: T): T {
	return list.find((item) => item === words.get(key)) ?? initial;
}

function flagOf(words: Words, key: string): boolean {
	return !['0', 'no', 'false', undefined].includes(words.get(key));
}

function readTracks(words: Words): State['tracks'] {
	return {
		hidden: readRows(words.get('hidden') ?? ''),
		merged: flagOf(words, 'merged'),
		order: oneOf(words, 'order', ORDERS, INITIAL.tracks.order),
		window: readRange(words.get('window') ?? ''),
	};
}

/** Each must lie within the one before; the first that does not ends the list. */
function readRanges(text: string): Range[] {
	const ranges: Range[] = [];
	for (const word of text === '' ? [] : text.split(',')) {
		const range = readRange(word);
		const outer = ranges.at(-1);
		if (!range || (outer && (range.from < outer.from || range.to > outer.to))) break;
		if (ranges.length < 100) ranges.push(range);
	}
	return ranges;
}

function parse(fragment: string): { words: Words; transforms: Transform[] } {
	const words = new Map<string, string>();
	const transforms: Transform[] = [];
	for (const word of fragment.replace(/^#/, '').split('&')) {
		const at = word.indexOf('=');
		const key = at < 0 ? word : word.slice(0, at);
		const value = at < 0 ? '' : readText(word.slice(at + 1));
		const transform = at < 0 ? null : readTransform(key, value);
		if (transform && transforms.length < MOST) transforms.push(transform);
		else words.set(key, value);
	}
	return { words, transforms };
}

/** The other way round; anything that is not understood is left at INITIAL. Never throws. */
export function readState(fragment: string): State {
	const { words, transforms } = parse(fragment);
	const text = (key: string): string => words.get(key) ?? '';
	const row = (key: string, initial: number): number => readRow(text(key)) ?? initial;
	return {
		view: oneOf(words, 'view', VIEWS, INITIAL.view),
		ranges: readRanges(text('range')),
		compare: readRange(text('compare')),
		last: Math.max(0, readTime(text('last')) ?? 0),
		ago: Math.max(0, readTime(text('ago')) ?? 0),
		spans: text('spans'),
		against: text('against'),
		mode: oneOf(words, 'mode', MODES, INITIAL.mode),
		unit: oneOf(words, 'unit', UNITS, INITIAL.unit),
		granularity: oneOf(words, 'by', LEVELS, INITIAL.granularity),
		inverted: flagOf(words, 'inverted'),
		leaves: flagOf(words, 'leaves'),
		widths: oneOf(words, 'widths', ['now', 'before'], INITIAL.widths),
		lane: text('lane') === 'all' ? -2 : row('lane', INITIAL.lane),
		colouring: oneOf(words, 'colour', COLOURINGS, INITIAL.colouring),
		tracks: readTracks(words),
		transforms,
		zoom: text('zoom') === '' ? [] : (readNumbers(text('zoom')) ?? []),
		search: {
			text: text('search'),
			regex: !flagOf(words, 'plain'),
			caseSensitive: flagOf(words, 'case'),
		},
		sample: row('sample', INITIAL.sample),
		func: row('func', INITIAL.func),
		line: row('line', INITIAL.line),
		sort: text('sort') || INITIAL.sort,
		filter: text('filter'),
		theme: oneOf(words, 'theme', THEMES, INITIAL.theme),
	};
}

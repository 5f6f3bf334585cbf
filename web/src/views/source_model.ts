// SPDX-License-Identifier: MIT
/** A file as the source view shows it: its lines, their heat, and the functions in it. */
import type { State } from '../app/state.js';
import { type Capture, type Frames, FunctionKind, NONE } from '../data/capture.js';
import { findOutermost, makeChildren } from '../model/forest.js';
import { type LineHeat, lineHeat } from '../model/lines.js';
import { addUp, weightsBehind } from '../model/show.js';
import type { Shown } from '../model/shown.js';
import { SHARES } from '../model/weights.js';
import type { LineState } from './source_tokens.js';
import { lineStates } from './source_tokens.js';

const LIGHTEST = 0.1; // of the hottest line: what is less is not hot
const MOST_HOT = 50;

export interface SourceFile {
	readonly file: number; // row in strings
	readonly path: string;
	readonly short: string;
	readonly note: string;
	/** Lines of the text; null: there is none, rows are lines with heat. */
	readonly lines: readonly string[] | null;
	readonly states: readonly LineState[];
	readonly heat: LineHeat;
	/** Lines that have heat but no text: all of them, or those behind the end of a changed file. */
	readonly bare: readonly number[];
	readonly rowCount: number;
	readonly maxSelf: number;
	readonly maxTotal: number;
	readonly hot: readonly number[]; // lines, in their order
	readonly longest: number; // characters of the longest line
}

interface Text {
	readonly lines: readonly string[] | null;
	readonly states: readonly LineState[];
	readonly longest: number;
}

const NO_TEXT: Text = { lines: null, states: [], longest: 40 };
const texts = new WeakMap<object, Text>(); // by Source

function textOf(capture: Capture, file: number): Text {
	const source = capture.sources.get(file);
	if (!source || source.text === '') return NO_TEXT;
	const known = texts.get(source);
	if (known) return known;
	const lines = source.text.split('\n');
	if (lines.at(-1) === '') lines.pop();
	const longest = lines.reduce((most, line) => {
		return Math.max(most, line.length + (line.includes('\t') ? 7 * line.split('\t').length : 0));
	}, 0);
	const text = { lines, states: lineStates(lines), longest };
	texts.set(source, text);
	return text;
}

const largest = (heat: ReadonlyMap<number, number>): number => {
	let most = 0;
	for (const [line, weight] of heat) if (line > 0) most = Math.max(most, weight);
	return most;
};

/** Lines that have much of the hottest one: by self time, or by total if there is none. */
function hotLines(heat: LineHeat): number[] {
	const by = largest(heat.self) > 0 ? heat.self : heat.total;
	const least = largest(by) * LIGHTEST;
	return [...by]
		.filter(([line, weight]) => line > 0 && weight >= least)
		.sort((a, b) => b[1] - a[1])
		.slice(0, MOST_HOT)
		.map(([line]) => line)
		.sort((a, b) => a - b);
}

export function openFile(capture: Capture, shown: Shown, state: State, file: number): SourceFile {
	const heat = lineHeat(capture, shown, state, file);
	const text = textOf(capture, file);
	const end = text.lines?.length ?? 0;
	const warm = new Set([...heat.total.keys(), ...(heat.beforeTotal?.keys() ?? [])]);
	const bare = [...warm].filter((line) => line > end).sort((a, b) => a - b);
	const path = capture.strings[file];
	return {
		file,
		path,
		short: capture.places.get(file)?.short ?? path,
		note: capture.sources.get(file)?.note ?? '',
		...text,
		heat,
		bare,
		rowCount: end + bare.length,
		maxSelf: largest(heat.self),
		maxTotal: largest(heat.total),
		hot: hotLines(heat),
	};
}

/** The line of a row (from 0), and the other way round; NONE if no row has the line. */
export function lineOfRow(source: SourceFile, row: number): number {
	const end = source.lines?.length ?? 0;
	return row < end ? row + 1 : (source.bare[row - end] ?? 0);
}

export function rowOfLine(source: SourceFile, line: number): number {
	const end = source.lines?.length ?? 0;
	if (line <= 0) return NONE;
	if (line <= end) return line - 1;
	const at = source.bare.indexOf(line);
	return at < 0 ? NONE : end + at;
}

/** How hot a line is: 0 .. 1 of the hottest one, by self; by total where nothing has self. */
export function heatOfLine(source: SourceFile, line: number): number {
	const { self, total } = source.heat;
	if (source.maxSelf > 0) return (self.get(line) ?? 0) / source.maxSelf;
	return source.maxTotal > 0 ? (total.get(line) ?? 0) / source.maxTotal : 0;
}

/** The hottest line of the file; 0 if there is none. */
export function hottestOf(source: SourceFile): number {
	return source.hot.reduce(
		(best, line) => (heatOfLine(source, line) > heatOfLine(source, best) ? line : best),
		0,
	);
}

/** The next hot line after (before) one, around the end. */
export function stepHot(source: SourceFile, line: number, by: 1 | -1): number {
	const { hot } = source;
	if (by > 0) return hot.find((l) => l > line) ?? hot[0] ?? 0;
	return hot.filter((l) => l < line).at(-1) ?? hot.at(-1) ?? 0;
}

// ---- functions ------------------------------------------------------------------------------------

/** By function of the capture, for what is shown, whatever the granularity. */
export interface OwnSums {
	readonly self: Float64Array;
	readonly total: Float64Array;
}

const sumsByShown = new WeakMap<Shown, OwnSums>();

export function ownFunctionSums(capture: Capture, shown: Shown): OwnSums {
	const known = sumsByShown.get(shown);
	if (known) return known;
	const { stacks, frames, functions } = capture;
	const { now } = weightsBehind(shown);
	const funcOf = (s: number): number => frames.func[stacks.frame[s]];
	const weights = new Float64Array(stacks.count);
	const self = new Float64Array(functions.count);
	const total = new Float64Array(functions.count);
	for (let s = 0; s < stacks.count; s++) {
		if (shown.stackOf[s] === NONE) continue;
		for (let i = s * SHARES; i < (s + 1) * SHARES; i++) weights[s] += now[i];
		self[funcOf(s)] += weights[s];
	}
	addUp(stacks.parent, weights);
	const children = makeChildren(stacks.parent);
	const outermost = findOutermost(stacks.parent, children, funcOf, functions.count);
	for (let s = 0; s < stacks.count; s++) {
		if (outermost[s] === 1) total[funcOf(s)] += weights[s];
	}
	const sums = { self, total };
	sumsByShown.set(shown, sums);
	return sums;
}

/** A function of a file, of the capture. */
export interface Outlined {
	readonly func: number;
	readonly name: string;
	readonly line: number; // the first; 0: not known
	readonly self: number;
	readonly total: number;
}

/** The functions of a file that have samples, in the order of their lines. */
export function outlineOf(capture: Capture, shown: Shown, file: number): Outlined[] {
	const { functions, strings } = capture;
	const sums = ownFunctionSums(capture, shown);
	const found: Outlined[] = [];
	for (let f = 0; f < functions.count; f++) {
		if (functions.file[f] !== file || functions.kind[f] !== FunctionKind.Python) continue;
		if (sums.total[f] === 0) continue;
		found.push({
			func: f,
			name: strings[functions.name[f]],
			line: functions.line[f],
			self: sums.self[f],
			total: sums.total[f],
		});
	}
	return found.sort((a, b) => a.line - b.line || b.total - a.total);
}

/** Functions that were seen at a line of a file, by it; the heaviest one first comes to. */
const seenByFrames = new WeakMap<Frames, Map<number, Map<number, number>>>();

function seenAt(capture: Capture, file: number): Map<number, number> {
	const files = seenByFrames.get(capture.frames) ?? new Map<number, Map<number, number>>();
	seenByFrames.set(capture.frames, files);
	const known = files.get(file);
	if (known) return known;
	const lines = new Map<number, number>();
	const { frames, functions } = capture;
	for (let frame = 0; frame < frames.count; frame++) {
		const func = frames.func[frame];
		if (functions.file[func] !== file) continue;
		const line = frames.line[frame];
		const other = lines.get(line);
		// of those that share a line, the one that begins there is within the others
		if (other === undefined || functions.line[func] > functions.line[other]) lines.set(line, func);
	}
	files.set(file, lines);
	return lines;
}

/** The function of the capture that a line belongs to: that was seen there, else that begins above. */
export function funcAtLine(
	capture: Capture,
	outline: readonly Outlined[],
	file: number,
	line: number,
): number {
	const seen = seenAt(capture, file).get(line);
	if (seen !== undefined) return seen;
	const above = outline.filter((o) => o.line > 0 && o.line <= line).at(-1);
	return above?.func ?? outline[0]?.func ?? NONE;
}

/** The hottest line of a function in its file, by self, else by total; 0 if none is known. */
export function hottestLine(capture: Capture, heat: LineHeat, func: number): number {
	const { frames } = capture;
	let best = 0;
	let most = 0;
	for (let frame = 0; frame < frames.count; frame++) {
		if (frames.func[frame] !== func) continue;
		const line = frames.line[frame];
		const weight = (heat.self.get(line) ?? 0) * 1e6 + (heat.total.get(line) ?? 0);
		if (line > 0 && weight > most) {
			most = weight;
			best = line;
		}
	}
	return best;
}

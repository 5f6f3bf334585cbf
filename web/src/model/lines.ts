// SPDX-License-Identifier: MIT
/** Heat of the lines of a file: from the capture's own stacks, whatever the granularity. */
import type { State } from '../app/state.js';
import { type Capture, type Frames, FunctionKind, NONE, type Stacks } from '../data/capture.js';
import { makePairs, pairRow } from '../data/pairs.js';
import { findOutermost, makeChildren } from './forest.js';
import { addUp, weightsBehind } from './show.js';
import type { Shown } from './shown.js';
import { SHARES } from './weights.js';

export interface LineHeat {
	readonly self: ReadonlyMap<number, number>; // line -> weight of samples whose leaf it is
	readonly total: ReadonlyMap<number, number>; // that have it anywhere; recursion counts once
	readonly beforeSelf: ReadonlyMap<number, number> | null;
	readonly beforeTotal: ReadonlyMap<number, number> | null;
}

/** What is known of the lines of a capture's stacks, whatever the weights. */
interface Lines {
	readonly file: Int32Array; // by frame: row in strings; NONE: it has none
	/** By stack: 1 if it is the outermost one in its file, 2 if at its line of the file. */
	readonly outermost: Uint8Array;
}

const OF_FILE = 1;
const OF_LINE = 2;

const linesByStacks = new WeakMap<Stacks, Lines>();

function filesOf(capture: Capture): Int32Array {
	const { functions, frames, strings } = capture;
	const own = Int32Array.from({ length: functions.count }, (_, f) =>
		functions.kind[f] === FunctionKind.Python && strings[functions.file[f]] !== ''
			? functions.file[f]
			: NONE,
	);
	return Int32Array.from(frames.func, (func) => own[func]);
}

/** By frame: a number for its file and line. Functions may share a line. */
function placeRows(file: Int32Array, frames: Frames): { of: Int32Array; count: number } {
	const places = makePairs(frames.count);
	const of = file.map((f, frame) => (f === NONE ? NONE : pairRow(places, f, frames.line[frame])));
	return { of, count: places.count };
}

function linesOf(capture: Capture): Lines {
	const { stacks, frames } = capture;
	const known = linesByStacks.get(stacks);
	if (known) return known;
	const { parent, frame } = stacks;
	const children = makeChildren(parent);
	const file = filesOf(capture);
	const places = placeRows(file, frames);
	const files = capture.strings.length;
	const ofFile = findOutermost(parent, children, (s) => file[frame[s]], files);
	const ofLine = findOutermost(parent, children, (s) => places.of[frame[s]], places.count);
	const outermost = ofFile.map((first, s) => first * OF_FILE + ofLine[s] * OF_LINE);
	const lines = { file, outermost };
	linesByStacks.set(stacks, lines);
	return lines;
}

/** By stack of the capture. */
interface OwnSide {
	readonly self: Float64Array;
	readonly total: Float64Array;
}

interface OwnSides {
	readonly now: OwnSide;
	readonly before: OwnSide | null;
}

function ownSide(shown: Shown, stacks: Stacks, cells: Float64Array, scale: number): OwnSide {
	const self = new Float64Array(stacks.count);
	for (let s = 0, at = 0; s < self.length; s++, at += SHARES) {
		if (shown.stackOf[s] === NONE) continue;
		self[s] = (cells[at] + cells[at + 1] + cells[at + 2] + cells[at + 3]) * scale;
	}
	const total = self.slice();
	addUp(stacks.parent, total);
	return { self, total };
}

const sidesByShown = new WeakMap<Shown, OwnSides>();

function ownSides(capture: Capture, shown: Shown): OwnSides {
	const known = sidesByShown.get(shown);
	if (known) return known;
	const { now, before, beforeScale } = weightsBehind(shown);
	const sides = {
		now: ownSide(shown, capture.stacks, now, 1),
		before: before && ownSide(shown, capture.stacks, before, beforeScale),
	};
	sidesByShown.set(shown, sides);
	return sides;
}

type Heat = Map<number, number>;

function addHeat(heat: Heat, line: number, weight: number): void {
	if (weight > 0) heat.set(line, (heat.get(line) ?? 0) + weight);
}

function heatOf(capture: Capture, side: OwnSide, file: number): { self: Heat; total: Heat } {
	const { stacks, frames } = capture;
	const lines = linesOf(capture);
	const self: Heat = new Map();
	const total: Heat = new Map();
	for (let s = 0; s < stacks.count; s++) {
		const frame = stacks.frame[s];
		if (lines.file[frame] !== file || side.total[s] === 0) continue;
		addHeat(self, frames.line[frame], side.self[s]);
		if (lines.outermost[s] & OF_LINE) addHeat(total, frames.line[frame], side.total[s]);
	}
	return { self, total };
}

/**
 * Of a file (row in strings), for the samples that the state selects and no transform drops. What is
 * known of no line is at line 0. `shown` is what a Shower made of the state.
 */
export function lineHeat(capture: Capture, shown: Shown, _state: State, file: number): LineHeat {
	const { now, before } = ownSides(capture, shown);
	const heat = heatOf(capture, now, file);
	const heatBefore = before && heatOf(capture, before, file);
	return {
		...heat,
		beforeSelf: heatBefore?.self ?? null,
		beforeTotal: heatBefore?.total ?? null,
	};
}

/** Files with samples: the rows in strings, the heaviest self time first, with self and total. */
export function fileHeat(
	capture: Capture,
	shown: Shown,
	_state: State,
): { file: number; self: number; total: number }[] {
	const { now } = ownSides(capture, shown);
	const { stacks } = capture;
	const lines = linesOf(capture);
	const self = new Float64Array(capture.strings.length);
	const total = new Float64Array(capture.strings.length);
	for (let s = 0; s < stacks.count; s++) {
		const file = lines.file[stacks.frame[s]];
		if (file === NONE) continue;
		self[file] += now.self[s];
		if (lines.outermost[s] & OF_FILE) total[file] += now.total[s];
	}
	const files: { file: number; self: number; total: number }[] = [];
	total.forEach((sum, file) => {
		if (sum > 0) files.push({ file, self: self[file], total: sum });
	});
	return files.sort((a, b) => b.self - a.self || b.total - a.total || a.file - b.file);
}

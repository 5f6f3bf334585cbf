// SPDX-License-Identifier: MIT
/**
 * Functions and frames while stacks are shaped: those of the capture under their own rows, and
 * behind them those that stand for many (files, modules) or for none ("(hidden)").
 */
import { type Capture, FunctionKind, NONE, Origin, type Place } from '../data/capture.js';
import { makePairs, type Pairs, pairRow } from '../data/pairs.js';

/** A function that is made for what is shown. */
interface Made {
	readonly name: string;
	readonly file: string; // short, or ""
	readonly module: string;
	readonly kind: FunctionKind;
	readonly origin: Origin;
}

export interface Names {
	readonly capture: Capture;
	readonly made: Made[]; // row - capture.functions.count
	readonly index: Map<string, number>; // of those made, and of the capture's marks
	readonly frames: Pairs; // (function, line), behind those of the capture
	readonly kindOf: FunctionKind[]; // of those made
}

export function makeNames(capture: Capture): Names {
	const { functions, strings } = capture;
	const index = new Map<string, number>();
	for (let f = 0; f < functions.count; f++) {
		if (functions.kind[f] === FunctionKind.Mark && strings[functions.file[f]] === '') {
			index.set(`mark ${strings[functions.name[f]]}`, f);
		}
	}
	return { capture, made: [], index, frames: makePairs(64), kindOf: [] };
}

export function kindOf(n: Names, func: number): FunctionKind {
	const { functions } = n.capture;
	return func < functions.count ? functions.kind[func] : n.kindOf[func - functions.count];
}

export function funcOfFrame(n: Names, frame: number): number {
	const { frames } = n.capture;
	return frame < frames.count ? frames.func[frame] : n.frames.first[frame - frames.count];
}

export function lineOfFrame(n: Names, frame: number): number {
	const { frames } = n.capture;
	return frame < frames.count ? frames.line[frame] : n.frames.second[frame - frames.count];
}

/** The frame of a function at a line. Not one of the capture's own, though it may be equal to one. */
export function frameFor(n: Names, func: number, line: number): number {
	return n.capture.frames.count + pairRow(n.frames, func, line);
}

function add(n: Names, key: string, made: () => Made): number {
	const known = n.index.get(key);
	if (known !== undefined) return known;
	const func = n.capture.functions.count + n.made.length;
	const row = made();
	n.made.push(row);
	n.kindOf.push(row.kind);
	n.index.set(key, func);
	return func;
}

export function markFunction(n: Names, name: string): number {
	return add(n, `mark ${name}`, () => ({
		name,
		file: '',
		module: '',
		kind: FunctionKind.Mark,
		origin: Origin.None,
	}));
}

function originOf(place: Place | undefined): Origin {
	if (!place || place.kind === 'own') return Origin.Own;
	return place.kind === 'package' ? Origin.Package : Origin.Stdlib;
}

/** A module is one wherever it lies, but not if it is of another origin. */
export function moduleFunction(n: Names, place: Place): number {
	return add(n, `module ${place.kind} ${place.module}`, () => ({
		name: place.module,
		file: '',
		module: place.module,
		kind: FunctionKind.Place,
		origin: originOf(place),
	}));
}

export function fileFunction(n: Names, file: number): number {
	const place = n.capture.places.get(file);
	const short = place?.short ?? n.capture.strings[file];
	return add(n, `file ${file}`, () => ({
		name: short,
		file: short,
		module: place?.module ?? '',
		kind: FunctionKind.Place,
		origin: originOf(place),
	}));
}

/** The place of a Python function's file; undefined if it has none, or is none. */
export function placeOfFunc(n: Names, func: number): Place | undefined {
	const { functions, places } = n.capture;
	if (func >= functions.count || functions.kind[func] !== FunctionKind.Python) return undefined;
	return places.get(functions.file[func]);
}

/** How a function is shown. */
export interface Named extends Made {
	readonly line: number;
	readonly own: number; // row in the capture, or NONE
}

/** Of a capture that was recorded with files or modules as functions. */
function ownPlace(n: Names, func: number, name: string): Pick<Made, 'file' | 'module' | 'origin'> {
	const file = n.capture.functions.file[func];
	const path = n.capture.strings[file];
	const place = n.capture.places.get(file);
	const origin = originOf(place);
	// what stands for the file of a module only says whose it is
	if (path === '' || path.endsWith('/')) return { file: '', module: name, origin };
	return { file: place?.short ?? path, module: place?.module ?? '', origin };
}

export function nameOf(n: Names, func: number): Named {
	const { functions, strings, places } = n.capture;
	if (func >= functions.count) {
		return { ...n.made[func - functions.count], line: 0, own: NONE };
	}
	const name = strings[functions.name[func]];
	const kind: FunctionKind = functions.kind[func];
	const line = functions.line[func];
	const base = { name, kind, line, own: func };
	if (kind === FunctionKind.Place) return { ...base, ...ownPlace(n, func, name) };
	if (kind !== FunctionKind.Python) {
		return { ...base, file: '', module: '', origin: Origin.None };
	}
	const place = places.get(functions.file[func]);
	return {
		...base,
		file: place?.short ?? strings[functions.file[func]],
		module: place?.module ?? '',
		origin: originOf(place),
	};
}

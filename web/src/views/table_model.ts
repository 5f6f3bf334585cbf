// SPDX-License-Identifier: MIT
/** The rows of the table: what they are, filtered and in order. */
import type { State } from '../app/state.js';
import { childrenOf, findOutermost } from '../model/forest.js';
import { functionSums } from '../model/functions.js';
import type { Shown, Side } from '../model/shown.js';
import { makeMatcher } from '../ui/search.js';
import { differenceValue } from './table_numbers.js';

/** Functions as shown, or their lines; only what has weight on one of the sides. */
export interface TableRows {
	readonly count: number;
	readonly func: Int32Array; // of the shown tables
	readonly line: Int32Array; // the line that a row is; 0: it is a whole function
	readonly self: Float64Array;
	readonly total: Float64Array;
	readonly beforeSelf: Float64Array | null;
	readonly beforeTotal: Float64Array | null;
}

export type SortKey =
	| 'self'
	| 'selfbefore'
	| 'selfdiff'
	| 'total'
	| 'totalbefore'
	| 'totaldiff'
	| 'name'
	| 'file'
	| 'module';

export interface Order {
	readonly key: SortKey;
	readonly reversed: boolean; // numbers: smallest first; texts: last first
}

const KEYS: readonly SortKey[] = [
	'self',
	'selfbefore',
	'selfdiff',
	'total',
	'totalbefore',
	'totaldiff',
	'name',
	'file',
	'module',
];

/** State.sort: a key, with "-" before it the other way round. What is none is "self". */
export function readOrder(sort: string): Order {
	const reversed = sort.startsWith('-');
	const key = KEYS.find((k) => k === (reversed ? sort.slice(1) : sort));
	return key ? { key, reversed } : { key: 'self', reversed: false };
}

interface Sums {
	readonly self: Float64Array;
	readonly total: Float64Array;
}

function frameSums(shown: Shown, side: Side, outermost: Uint8Array): Sums {
	const { frameCount, stackCount, stackFrame } = shown.tables;
	const self = new Float64Array(frameCount);
	const total = new Float64Array(frameCount);
	for (let s = 0; s < stackCount; s++) {
		self[stackFrame[s]] += side.self[s];
		if (outermost[s] === 1) total[stackFrame[s]] += side.total[s];
	}
	return { self, total };
}

/** By frame of the shown tables; a line that recurs counts once in total. */
function lineSums(shown: Shown): { now: Sums; before: Sums | null } {
	const { tables, now, before } = shown;
	const { stackParent, stackFrame, frameCount } = tables;
	const outermost = findOutermost(
		stackParent,
		childrenOf(tables),
		(s) => stackFrame[s],
		frameCount,
	);
	return {
		now: frameSums(shown, now, outermost),
		before: before && frameSums(shown, before, outermost),
	};
}

function wholeSums(shown: Shown): { now: Sums; before: Sums | null } {
	const { self, total, beforeSelf, beforeTotal } = functionSums(shown);
	const before = beforeSelf && beforeTotal ? { self: beforeSelf, total: beforeTotal } : null;
	return { now: { self, total }, before };
}

/** Of what is shown; `lines`: a row for each line. */
export function tableRows(shown: Shown, lines: boolean): TableRows {
	const { tables } = shown;
	const { now, before } = lines ? lineSums(shown) : wholeSums(shown);
	const ids: number[] = [];
	for (let i = 0; i < now.total.length; i++) {
		if (now.total[i] > 0 || (before !== null && before.total[i] > 0)) ids.push(i);
	}
	const pick = (values: Float64Array): Float64Array => Float64Array.from(ids, (i) => values[i]);
	return {
		count: ids.length,
		func: Int32Array.from(ids, (i) => (lines ? tables.frameFunc[i] : i)),
		line: Int32Array.from(ids, (i) => (lines ? tables.frameLine[i] : 0)),
		self: pick(now.self),
		total: pick(now.total),
		beforeSelf: before && pick(before.self),
		beforeTotal: before && pick(before.total),
	};
}

/** "file.py:12" of a row, "" if it has no file or is one. */
export function placeText(shown: Shown, rows: TableRows, row: number): string {
	const { funcFile, funcName, funcLine } = shown.tables;
	const func = rows.func[row];
	const file = funcFile[func];
	if (!file || file === funcName[func]) return '';
	const line = rows.line[row] || funcLine[func];
	return line ? `${file}:${line}` : file;
}

/**
 * Whether a text passes a filter: any part of it, or /a regular expression/. Upper and lower case
 * are the same. An expression that is none matches as plain text, `error` says why.
 */
export function makeFilter(filter: string): { test: (text: string) => boolean; error: string } {
	const regex = /^\/(.+?)\/?$/s.exec(filter);
	const text = regex ? (regex[1] ?? '') : filter;
	return makeMatcher({ text, regex: regex !== null, caseSensitive: false });
}

function passing(shown: Shown, rows: TableRows, filter: string): number[] {
	const all = Array.from({ length: rows.count }, (_, row) => row);
	if (filter === '') return all;
	const { funcName, funcModule } = shown.tables;
	const { test } = makeFilter(filter);
	return all.filter((row) => {
		const func = rows.func[row];
		return test(`${funcName[func]} ${placeText(shown, rows, row)} ${funcModule[func]}`);
	});
}

function numbersOf(shown: Shown, rows: TableRows, key: SortKey, unit: State['unit']): Float64Array {
	const before = (values: Float64Array | null): Float64Array =>
		values ?? new Float64Array(rows.count);
	const differences = (now: Float64Array, old: Float64Array): Float64Array =>
		now.map((value, i) => differenceValue(value, old[i], shown, unit));
	switch (key) {
		case 'total':
			return rows.total;
		case 'selfbefore':
			return before(rows.beforeSelf);
		case 'totalbefore':
			return before(rows.beforeTotal);
		case 'selfdiff':
			return differences(rows.self, before(rows.beforeSelf));
		case 'totaldiff':
			return differences(rows.total, before(rows.beforeTotal));
		default:
			return rows.self;
	}
}

function textsOf(shown: Shown, rows: TableRows, key: SortKey): string[] {
	const { tables } = shown;
	const texts =
		key === 'name' ? tables.funcName : key === 'module' ? tables.funcModule : tables.funcFile;
	// lower case first tells words, then the texts themselves, so that the order is always the same
	return Array.from(rows.func, (func) => `${texts[func].toLowerCase()}\n${texts[func]}`);
}

/** Rows that pass the filter, in order; equals by self, then total, then as the tables have them. */
export function orderRows(
	shown: Shown,
	rows: TableRows,
	filter: string,
	sort: string,
	unit: State['unit'],
): Int32Array {
	const order = passing(shown, rows, filter);
	const { key, reversed } = readOrder(sort);
	const sign = reversed ? -1 : 1;
	const tie = (a: number, b: number): number =>
		rows.self[b] - rows.self[a] || rows.total[b] - rows.total[a] || a - b;
	if (key === 'name' || key === 'file' || key === 'module') {
		const texts = textsOf(shown, rows, key);
		const lineOf = (row: number): number => rows.line[row] || shown.tables.funcLine[rows.func[row]];
		const byLine = (a: number, b: number): number => (key === 'file' ? lineOf(a) - lineOf(b) : 0);
		order.sort((a, b) => {
			const way = texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : byLine(a, b);
			return way * sign || tie(a, b);
		});
	} else {
		const values = numbersOf(shown, rows, key, unit);
		order.sort((a, b) => (values[b] - values[a]) * sign || tie(a, b));
	}
	return Int32Array.from(order);
}

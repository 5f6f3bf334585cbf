// SPDX-License-Identifier: MIT
/** The embedded data of a page, read back. The format is described in docs/page-format.md. */
import type { Capture, Frames, Functions, Samples, Span, Stacks, Thread } from './capture.js';
import { type Facts, readFacts } from './facts.js';
import {
	type Column,
	damaged,
	readDifferences,
	readNumbers,
	readParents,
	readStates,
	readTimes,
} from './numbers.js';
import { sortTimes } from './order.js';
import { fromBase64, gunzip } from './unpack.js';

const MAGIC = 'fgpage1\n';
const HEAD = MAGIC.length + 4;
const DEPTH_MOST = 65535; // what Stacks.depth can hold

interface Parts {
	readonly json: unknown;
	readonly columns: Uint8Array; // all of them
}

function splitParts(bytes: Uint8Array): Parts {
	const magic = new TextDecoder().decode(bytes.subarray(0, MAGIC.length));
	if (magic !== MAGIC) {
		damaged(
			magic.startsWith('fgpage')
				? `it is of another version ("${magic.trim()}") than its viewer`
				: 'it does not begin as it should',
		);
	}
	if (bytes.length < HEAD) damaged('it is cut off');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = HEAD + view.getUint32(MAGIC.length, true);
	if (end > bytes.length) damaged('its tables are cut off');
	const text = new TextDecoder().decode(bytes.subarray(HEAD, end));
	try {
		return { json: JSON.parse(text), columns: bytes.subarray(end) };
	} catch {
		return damaged('its tables are no JSON');
	}
}

/** Columns by name. One that is said to be there has at least a byte for each number. */
function splitColumns(facts: Facts, bytes: Uint8Array): Map<string, Column> {
	const columns = new Map<string, Column>();
	let start = 0;
	for (const { name, count, length } of facts.columns) {
		if (start + length > bytes.length) damaged(`column ${name} is cut off`);
		if (count > length) damaged(`column ${name} has fewer than ${count} numbers`);
		columns.set(name, { name, count, bytes: bytes.subarray(start, start + length), at: 0 });
		start += length;
	}
	if (start !== bytes.length) damaged('there is more after the last column');
	return columns;
}

type Take = (name: string, count?: number) => Column;

/** Gives columns by name, and sees to it that they are there and as long as they should be. */
function taker(columns: ReadonlyMap<string, Column>): Take {
	return (name, count) => {
		const column = columns.get(name);
		if (!column) return damaged(`column ${name} is missing`);
		if (count !== undefined && column.count !== count) {
			damaged(`column ${name} has ${column.count} numbers instead of ${count}`);
		}
		return column;
	};
}

function readFunctions(take: Take, strings: number): Functions {
	const name = take('functions.name');
	const count = name.count;
	return {
		count,
		name: readNumbers(name, new Uint32Array(count), strings),
		file: readNumbers(take('functions.file', count), new Uint32Array(count), strings),
		line: readNumbers(take('functions.line', count), new Uint32Array(count), 2 ** 32),
		kind: readNumbers(take('functions.kind', count), new Uint8Array(count), 4),
	};
}

function readFrames(take: Take, functions: number): Frames {
	const func = take('frames.func');
	const count = func.count;
	return {
		count,
		func: readDifferences(func, functions),
		line: readNumbers(take('frames.line', count), new Uint32Array(count), 2 ** 32),
	};
}

/** A stack deeper than 65535 frames counts as so deep. */
export function depthsOf(parent: Int32Array): Uint16Array {
	const depth = new Uint16Array(parent.length);
	for (let s = 0; s < parent.length; s++) {
		const up = parent[s];
		depth[s] = up < 0 ? 1 : Math.min(DEPTH_MOST, depth[up] + 1);
	}
	return depth;
}

function readStacks(take: Take, frames: number): Stacks {
	const column = take('stacks.parent');
	const frame = readDifferences(take('stacks.frame', column.count), frames);
	const parent = readParents(column);
	return { count: column.count, parent, frame, depth: depthsOf(parent) };
}

function readSpans(take: Take, facts: Facts): Span[] {
	const { strings, threads, processes } = facts;
	const column = take('spans.start');
	const { count } = column;
	const read = (name: string, limit: number, add = 0, factor = 1): Float64Array =>
		readNumbers(take(`spans.${name}`, count), new Float64Array(count), limit, factor, add);
	const start = readTimes(column, [count], 1);
	const duration = read('duration', Infinity);
	const process = read('process', processes.length + 1, -1);
	const thread = read('thread', threads.length + 1, -1);
	const parent = readParents(take('spans.parent', count));
	const name = read('name', strings.length);
	const text = read('text', strings.length);
	return Array.from(start, (startNs, row) => ({
		row,
		startNs,
		endNs: duration[row] ? startNs + duration[row] - 1 : null,
		process: process[row],
		thread: thread[row],
		parent: parent[row],
		name: strings[name[row]],
		text: strings[text[row]],
	}));
}

function readSamples(
	take: Take,
	facts: Facts,
	stacks: number,
	weighted: boolean,
	spans: number,
): Samples {
	const { threads, timeUnitNs, cpuUnitNs } = facts;
	const count = threads.reduce((sum, thread) => sum + thread.count, 0);
	const counts = threads.map((thread) => thread.count);
	const state = take('samples.state', count);
	const samples: Samples = {
		count,
		thread: new Uint32Array(count),
		timeNs: readTimes(take('samples.time', count), counts, timeUnitNs),
		stack: readDifferences(take('samples.stack', count), stacks),
		state: new Uint8Array(count),
		flags: new Uint8Array(count),
		cpuNs: readNumbers(take('samples.cpu', count), new Float64Array(count), Infinity, cpuUnitNs),
		syscall: readNumbers(take('samples.syscall', count), new Int16Array(count), 2 ** 15, 1, -1),
		weight: weighted
			? readNumbers(take('samples.weight', count), new Float64Array(count), Infinity)
			: null,
		span: spans ? readTimes(take('samples.span', count), counts, 1) : null,
	};
	if (samples.span?.some((row) => row < 0 || row > spans)) damaged('samples are in no span');
	readStates(state, samples.state, samples.flags);
	for (const { row, first, count: own } of threads) samples.thread.fill(row, first, first + own);
	return samples;
}

/** Of the unpacked bytes. Throws an Error that says what is wrong with them. */
export function decodeCapture(bytes: Uint8Array): Capture {
	const parts = splitParts(bytes);
	const facts = readFacts(parts.json);
	const columns = splitColumns(facts, parts.columns);
	const take = taker(columns);
	const functions = readFunctions(take, facts.strings.length);
	const frames = readFrames(take, functions.count);
	const stacks = readStacks(take, frames.count);
	const spans = columns.has('spans.start') ? readSpans(take, facts) : [];
	const weighted = columns.has('samples.weight');
	const samples = readSamples(take, facts, stacks.count, weighted, spans.length);
	sortTimes(samples, facts.threads as readonly Thread[]);
	const { columns: _, timeUnitNs: _t, cpuUnitNs: _c, ...rest } = facts;
	return { ...rest, functions, frames, stacks, samples, spans };
}

/**
 * The capture in the element with that id (base64 of gzip); null if there is no such element. The
 * element's text is let go: it is as large as the page.
 */
export async function loadEmbedded(id: string): Promise<Capture | null> {
	const element = document.getElementById(id);
	if (!element) return null;
	const packed = fromBase64(element.textContent ?? '');
	element.replaceChildren(); // textContent of a script wants a trusted type
	return decodeCapture(await gunzip(packed));
}

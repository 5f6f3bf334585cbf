// SPDX-License-Identifier: MIT
/** Writes the data of a page (docs/page-format.md), also what no page should hold: for tests. */
import type { Capture } from '../src/data/capture.js';

/** Unsigned, up to 2^64 - 1. */
export function varints(values: Iterable<number | bigint>): Uint8Array {
	const out: number[] = [];
	for (const value of values) {
		let rest = BigInt(value);
		if (rest < 0n) throw new Error(`${value} has no sign here`);
		for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
		out.push(Number(rest));
	}
	return Uint8Array.from(out);
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2);

export function differences(values: Iterable<number>): number[] {
	const out: number[] = [];
	let before = 0;
	for (const value of values) {
		out.push(zigzag(value - before));
		before = value;
	}
	return out;
}

/** What a page says, before it becomes bytes: change it to get a page that lies. */
export interface PageParts {
	magic: string;
	json: Record<string, unknown>;
	columns: [name: string, count: number, bytes: Uint8Array][];
	after: Uint8Array; // bytes after the last column
}

/** Strings of processes, threads and markers get rows after those of the capture. */
function jsonOf(c: Capture): Record<string, unknown> {
	const strings = [...c.strings];
	const text = (s: string): number => strings.push(s) - 1;
	const json = {
		version: 1,
		title: c.title,
		facts: [...c.facts],
		period_ns: c.periodNs,
		unit: c.unit,
		timed: c.timed,
		start_ns: String(c.startNs),
		duration_ns: c.durationNs,
		time_unit_ns: 1,
		cpu_unit_ns: 1,
		files: [...c.places].map(([file, p]) => [file, p.short, p.module, p.kind]),
		processes: c.processes.map((p) => [p.pid, text(p.name), text(p.command), p.startNs, p.endNs]),
		threads: c.threads.map((t) => [
			t.process,
			t.tid,
			text(t.name),
			t.main ? 1 : 0,
			t.startNs,
			t.endNs,
			t.count,
		]),
		markers: c.markers.map((m) => [
			m.startNs,
			m.endNs,
			m.thread,
			m.process,
			text(m.name),
			text(m.text),
		]),
		losses: c.losses.map((l) => [l.timeNs, l.kind, l.count]),
		sources: [...c.sources].map(([file, s]) => [file, s.text, s.note]),
		syscalls: [...c.syscalls],
	};
	return { ...json, strings };
}

/** A column that begins anew for each thread. */
function byThread(c: Capture, values: ArrayLike<number>): number[] {
	return c.threads.flatMap(({ first, count }) =>
		differences(Array.from({ length: count }, (_, i) => values[first + i])),
	);
}

function addSpans(
	{ spans }: Capture,
	add: (name: string, values: ArrayLike<number>) => void,
	strings: string[],
): void {
	const column = (name: string, of: (span: Capture['spans'][number]) => number): void =>
		add(`spans.${name}`, spans.map(of));
	add('spans.start', differences(spans.map((span) => span.startNs)));
	column('duration', (span) => (span.endNs === null ? 0 : span.endNs - span.startNs + 1));
	column('process', (span) => span.process + 1);
	column('thread', (span) => span.thread + 1);
	column('parent', (span) => (span.parent < 0 ? 0 : span.row - span.parent));
	column('name', (span) => strings.push(span.name) - 1);
	column('text', (span) => strings.push(span.text) - 1);
}

export function partsOf(c: Capture): PageParts {
	const { functions, frames, stacks, samples } = c;
	const columns: PageParts['columns'] = [];
	const json = jsonOf(c);
	const add = (name: string, values: ArrayLike<number>): void => {
		columns.push([name, values.length, varints(Array.from(values))]);
	};
	add('functions.name', functions.name);
	add('functions.file', functions.file);
	add('functions.line', functions.line);
	add('functions.kind', functions.kind);
	add('frames.func', differences(frames.func));
	add('frames.line', frames.line);
	add(
		'stacks.parent',
		Array.from(stacks.parent, (parent, row) => (parent < 0 ? 0 : row - parent)),
	);
	add('stacks.frame', differences(stacks.frame));
	if (c.spans.length) addSpans(c, add, json.strings as string[]);
	add('samples.time', byThread(c, samples.timeNs));
	add('samples.stack', differences(samples.stack));
	add(
		'samples.state',
		Array.from(samples.state, (state, row) => state * 64 + samples.flags[row]),
	);
	add('samples.cpu', samples.cpuNs);
	add(
		'samples.syscall',
		Array.from(samples.syscall, (number) => number + 1),
	);
	if (samples.weight) add('samples.weight', samples.weight);
	if (samples.span) add('samples.span', byThread(c, samples.span));
	return { magic: 'fgpage1\n', json, columns, after: new Uint8Array(0) };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
	const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
	let at = 0;
	for (const piece of pieces) {
		out.set(piece, at);
		at += piece.length;
	}
	return out;
}

export function bytesOf(parts: PageParts): Uint8Array {
	const columns = parts.columns.map(([name, count, bytes]) => [name, count, bytes.length]);
	const json = new TextEncoder().encode(JSON.stringify({ columns, ...parts.json }));
	const length = new Uint8Array(4);
	new DataView(length.buffer).setUint32(0, json.length, true);
	const bytes = parts.columns.map(([, , column]) => column);
	return join([new TextEncoder().encode(parts.magic), length, json, ...bytes, parts.after]);
}

export const encodeCapture = (c: Capture): Uint8Array => bytesOf(partsOf(c));

// SPDX-License-Identifier: MIT
/**
 * The last minutes of a recording that goes on: takes in pieces, lets go of what is too old, and
 * gives what there is as a capture like any other. What was given stays as it is.
 */
import type { Capture, Loss, Marker, Process, Thread } from '../data/capture.js';
import { NONE } from '../data/capture.js';
import { factsSince, forgetFacts, type Told } from './facts.js';
import { addRows, copyRows, makeRows, makeSamples, rowAt, type ThreadRows } from './rows.js';
import { joinTables, makeTables, type Tables, tablesNow, thinStacks } from './tables.js';

const MOST_STACKS = 50_000; // from which on it is looked whether they are still used
const JITTER_NS = 1e6; // the start of a thread may be told a little differently

/** A process or a thread, under its row. Times are since the origin. */
interface Known<T> {
	is: T;
	readonly key: string;
}

interface KnownThread extends Known<Thread> {
	readonly rows: ThreadRows;
}

export interface Ring {
	keepNs: number;
	latest: Capture | null; // the last piece: what is not told by samples
	originNs: bigint; // times of all that is kept are since then: the first piece's start
	endNs: number; // of the newest sample
	readonly told: Told[];
	readonly tables: Tables;
	readonly processes: Known<Process>[];
	readonly threads: KnownThread[];
	readonly markers: Map<string, Marker>;
	readonly losses: Map<string, Loss>;
	readonly syscalls: Map<number, string>;
	title: string;
	thinAt: number; // count of stacks
	thinned: number; // how often stacks were renumbered
	/** Rows of threads that are others than they were, since this was emptied. */
	reused: number[];
}

export function makeRing(keepNs: number): Ring {
	return {
		keepNs,
		latest: null,
		originNs: 0n,
		endNs: 0,
		told: [],
		tables: makeTables(),
		processes: [],
		threads: [],
		markers: new Map(),
		losses: new Map(),
		syscalls: new Map(),
		title: '',
		thinAt: MOST_STACKS,
		thinned: 0,
		reused: [],
	};
}

interface Lived {
	readonly startNs: number;
	readonly endNs: number | null;
}

/**
 * The row of what has that key and lived at that time, if it is not `taken`: the numbers of threads
 * and processes come again. NONE: it is new.
 */
function findKnown<T extends Lived>(
	known: readonly Known<T>[],
	key: string,
	startNs: number,
	taken: ReadonlySet<number>,
): number {
	for (let row = known.length; row-- > 0; ) {
		const { key: has, is } = known[row];
		if (has !== key || taken.has(row)) continue;
		if (is.endNs === null || startNs < is.endNs || Math.abs(is.startNs - startNs) <= JITTER_NS) {
			return row;
		}
	}
	return NONE;
}

const later = (ns: number | null, byNs: number): number | null => (ns === null ? null : ns + byNs);

function joinProcesses(ring: Ring, piece: Capture, shiftNs: number): number[] {
	const taken = new Set<number>();
	return piece.processes.map((p) => {
		const key = p.pid ? String(p.pid) : `0 ${p.name}`;
		const startNs = p.startNs + shiftNs;
		const found = findKnown(ring.processes, key, startNs, taken);
		const row = found === NONE ? ring.processes.length : found;
		ring.processes[row] = { key, is: { ...p, row, startNs, endNs: later(p.endNs, shiftNs) } };
		taken.add(row);
		return row;
	});
}

/** A row that nobody needs: of a thread that ended and whose samples are all gone; else a new one. */
function freeRow(ring: Ring, taken: ReadonlySet<number>): number {
	if (ring.threads.length < 100) return ring.threads.length;
	const row = ring.threads.findIndex(
		({ is, rows }, at) => is.endNs !== null && rows.from === rows.to && !taken.has(at),
	);
	if (row < 0) return ring.threads.length;
	ring.reused.push(row);
	return row;
}

function joinThreads(
	ring: Ring,
	piece: Capture,
	processes: readonly number[],
	shiftNs: number,
): number[] {
	const taken = new Set<number>();
	return piece.threads.map((t) => {
		const process = processes[t.process] ?? NONE;
		const key = `${process} ${t.tid || t.name}`;
		const startNs = t.startNs + shiftNs;
		const found = findKnown(ring.threads, key, startNs, taken);
		const row = found === NONE ? freeRow(ring, taken) : found;
		const rows = found === NONE ? makeRows() : ring.threads[row].rows;
		const is = { ...t, row, process, startNs, endNs: later(t.endNs, shiftNs) };
		ring.threads[row] = { key, is, rows };
		taken.add(row);
		return row;
	});
}

function joinSamples(
	ring: Ring,
	piece: Capture,
	threads: readonly number[],
	stacks: Uint32Array,
	shiftNs: number,
): void {
	const { samples } = piece;
	for (const { row, first, count } of piece.threads) {
		const { rows } = ring.threads[threads[row]];
		const end = first + count;
		// a piece that is sent again after the connection was lost begins with what is there already
		const last = rows.to > rows.from ? rows.timeNs[rows.to - 1] - shiftNs : -Infinity;
		const fresh = last < 0 ? first : rowAt(samples.timeNs, first, end, last + 1);
		addRows(rows, samples, fresh, end, shiftNs, stacks);
	}
}

/** What has lasted from before the piece comes again, with a later end. */
function joinMarkers(
	ring: Ring,
	piece: Capture,
	of: { threads: readonly number[]; processes: readonly number[] },
	shiftNs: number,
): void {
	for (const m of piece.markers) {
		const marker: Marker = {
			...m,
			startNs: m.startNs + shiftNs,
			endNs: m.endNs + shiftNs,
			thread: of.threads[m.thread] ?? NONE,
			process: of.processes[m.process] ?? NONE,
		};
		const { startNs, thread, process, name, text } = marker;
		ring.markers.set(JSON.stringify([startNs, thread, process, name, text]), marker);
	}
	for (const loss of piece.losses) {
		const timeNs = loss.timeNs + shiftNs;
		ring.losses.set(`${timeNs} ${loss.kind}`, { ...loss, timeNs });
	}
}

/** Takes in the next piece. */
export function addPiece(ring: Ring, piece: Capture): void {
	if (!ring.latest) {
		if (piece.samples.count === 0) return;
		ring.originNs = piece.startNs;
	}
	// without samples a piece may have no time of its own
	const told = Number(piece.startNs - ring.originNs);
	const shiftNs = piece.samples.count > 0 || told > 0 ? told : ring.endNs;
	const { stacks } = joinTables(ring.tables, piece);
	const processes = joinProcesses(ring, piece, shiftNs);
	const threads = joinThreads(ring, piece, processes, shiftNs);
	joinSamples(ring, piece, threads, stacks, shiftNs);
	joinMarkers(ring, piece, { threads, processes }, shiftNs);
	for (const [number, name] of piece.syscalls) ring.syscalls.set(number, name);
	if (piece.samples.count > 0) ring.endNs = Math.max(ring.endNs, shiftNs + piece.durationNs);
	ring.title ||= piece.title;
	ring.latest = piece;
	ring.told.push({ endNs: ring.endNs, facts: piece.facts });
	letGo(ring);
}

function letGo(ring: Ring): void {
	const since = ring.endNs - ring.keepNs;
	for (const { rows } of ring.threads) rows.from = rowAt(rows.timeNs, rows.from, rows.to, since);
	for (const [key, marker] of ring.markers) if (marker.endNs < since) ring.markers.delete(key);
	for (const [key, loss] of ring.losses) if (loss.timeNs < since) ring.losses.delete(key);
	forgetFacts(ring.told, since);
	if (ring.tables.stacks.count > ring.thinAt) thin(ring);
}

/** Lets go of stacks that no sample has any more, if they are the most. */
function thin(ring: Ring): void {
	const used = new Uint8Array(ring.tables.stacks.count);
	const each = (run: (stack: Uint32Array, row: number) => void): void => {
		for (const { rows } of ring.threads) {
			for (let i = rows.from; i < rows.to; i++) run(rows.stack, i);
		}
	};
	each((stack, i) => {
		used[stack[i]] = 1;
	});
	const wanted = used.reduce((sum, one) => sum + one, 0);
	if (wanted < used.length / 2) {
		const rows = thinStacks(ring.tables, used);
		each((stack, i) => {
			stack[i] = rows[stack[i]];
		});
		ring.thinned++;
	}
	ring.thinAt = Math.max(MOST_STACKS, ring.tables.stacks.count * 2);
}

/** The time of the first sample; of the oldest that is kept, if there was more. */
function beginOf(ring: Ring): number {
	const since = Math.floor(ring.endNs - ring.keepNs);
	if (since > 0) return since;
	return ring.threads.reduce((first, { rows }) => {
		return rows.from < rows.to ? Math.min(first, rows.timeNs[rows.from]) : first;
	}, 0);
}

function samplesNow(ring: Ring, startNs: number) {
	let count = 0;
	let weighted = false;
	for (const { rows } of ring.threads) {
		count += rows.to - rows.from;
		for (let i = rows.from; i < rows.to && !weighted; i++) weighted = rows.weight[i] !== 1;
	}
	const samples = makeSamples(count, weighted);
	let first = 0;
	const threads = ring.threads.map(({ is, rows }, row): Thread => {
		const own = rows.to - rows.from;
		copyRows(rows, samples, first, row, startNs);
		const { startNs: start, endNs } = is;
		first += own;
		return {
			...is,
			first: first - own,
			count: own,
			startNs: start - startNs,
			endNs: later(endNs, -startNs),
		};
	});
	return { samples, threads };
}

/** What is kept, as a capture; null if there is no sample yet. */
export function captureNow(ring: Ring): Capture | null {
	const { latest, tables, title } = ring;
	if (!latest || ring.endNs <= 0) return null;
	const startNs = beginOf(ring);
	const moved = <T extends Lived>(of: T): T => ({
		...of,
		startNs: of.startNs - startNs,
		endNs: later(of.endNs, -startNs),
	});
	return {
		title,
		facts: factsSince(ring.told, ring.endNs - ring.keepNs),
		periodNs: latest.periodNs,
		unit: latest.unit,
		timed: true,
		startNs: ring.originNs + BigInt(startNs),
		durationNs: ring.endNs - startNs,
		strings: tables.strings,
		processes: ring.processes.map(({ is }) => moved(is)),
		markers: [...ring.markers.values()].map(moved),
		losses: [...ring.losses.values()].map((l) => ({ ...l, timeNs: l.timeNs - startNs })),
		spans: [],
		places: tables.places,
		sources: tables.sources,
		syscalls: new Map(ring.syscalls),
		...tablesNow(tables),
		...samplesNow(ring, startNs),
	};
}

// SPDX-License-Identifier: MIT
/** The JSON part of a page's data, looked at piece by piece: nothing in it is taken on trust. */
import type { Capture, Loss, Marker, Place, Process, Source, Thread } from './capture.js';
import { NONE } from './capture.js';
import { damaged } from './numbers.js';

const VERSION = 1;
const LOSSES: readonly string[] = ['missed', 'no room', 'no space'];
const ORIGINS: readonly string[] = ['own', 'package', 'stdlib'];

/** All but the columns, and where these are. */
export interface Facts
	extends Omit<Capture, 'functions' | 'frames' | 'stacks' | 'samples' | 'spans'> {
	readonly timeUnitNs: number;
	readonly cpuUnitNs: number;
	readonly columns: readonly { name: string; count: number; length: number }[];
}

function text(value: unknown, what: string): string {
	return typeof value === 'string' ? value : damaged(`${what} is no text`);
}

function number(value: unknown, what: string): number {
	return typeof value === 'number' && Number.isFinite(value)
		? value
		: damaged(`${what} is no number`);
}

/** A whole number from `least` to below `limit`. */
function whole(value: unknown, what: string, limit = 2 ** 53, least = 0): number {
	const n = number(value, what);
	return Number.isInteger(n) && n >= least && n < limit ? n : damaged(`${what} cannot be ${n}`);
}

function rows(value: unknown, what: string, width: number): unknown[][] {
	if (!Array.isArray(value)) return damaged(`${what} are missing`);
	for (const row of value) {
		if (!Array.isArray(row) || row.length < width) damaged(`a row of ${what} is too short`);
	}
	return value;
}

const endOf = (value: unknown, what: string): number | null =>
	value === null ? null : number(value, what);

type Json = Readonly<Record<string, unknown>>;

function readStrings(json: Json): string[] {
	if (!Array.isArray(json.strings)) return damaged('strings are missing');
	for (const string of json.strings) text(string, 'a string');
	return json.strings;
}

function readProcesses(json: Json, strings: readonly string[]): Process[] {
	return rows(json.processes, 'processes', 5).map(([pid, name, command, start, end], row) => ({
		row,
		pid: whole(pid, 'a process id'),
		name: strings[whole(name, 'the name of a process', strings.length)],
		command: strings[whole(command, 'the command of a process', strings.length)],
		startNs: number(start, 'the start of a process'),
		endNs: endOf(end, 'the end of a process'),
	}));
}

function readThreads(json: Json, strings: readonly string[], processes: number): Thread[] {
	let first = 0;
	return rows(json.threads, 'threads', 7).map(
		([process, tid, name, main, start, end, samples], row) => {
			const count = whole(samples, 'the samples of a thread');
			const thread = {
				row,
				process: whole(process, 'the process of a thread', processes, NONE),
				tid: whole(tid, 'a thread id'),
				name: strings[whole(name, 'the name of a thread', strings.length)],
				main: main === 1,
				startNs: number(start, 'the start of a thread'),
				endNs: endOf(end, 'the end of a thread'),
				first,
				count,
			};
			first += count;
			return thread;
		},
	);
}

function readMarkers(
	json: Json,
	strings: readonly string[],
	threads: number,
	processes: number,
): Marker[] {
	return rows(json.markers, 'markers', 6).map(([start, end, thread, process, name, note]) => ({
		startNs: number(start, 'the start of a marker'),
		endNs: number(end, 'the end of a marker'),
		thread: whole(thread, 'the thread of a marker', threads, NONE),
		process: whole(process, 'the process of a marker', processes, NONE),
		name: strings[whole(name, 'the name of a marker', strings.length)],
		text: strings[whole(note, 'the text of a marker', strings.length)],
	}));
}

function readLosses(json: Json): Loss[] {
	return rows(json.losses, 'losses', 3).map(([time, kind, count]) => ({
		timeNs: number(time, 'the time of a loss'),
		kind: LOSSES.includes(text(kind, 'the reason of a loss'))
			? (kind as Loss['kind'])
			: damaged(`"${kind}" is no reason of a loss`),
		count: number(count, 'the count of a loss'),
	}));
}

function readPlaces(json: Json, strings: number): Map<number, Place> {
	return new Map(
		rows(json.files, 'files', 4).map(([file, short, module, kind]) => [
			whole(file, 'a file', strings),
			{
				short: text(short, 'the short name of a file'),
				module: text(module, 'the module of a file'),
				kind: ORIGINS.includes(text(kind, 'the origin of a file'))
					? (kind as Place['kind'])
					: damaged(`"${kind}" is no origin of a file`),
			},
		]),
	);
}

function readSources(json: Json, strings: number): Map<number, Source> {
	return new Map(
		rows(json.sources, 'sources', 3).map(([file, source, note]) => [
			whole(file, 'the file of a source', strings),
			{ text: text(source, 'a source'), note: text(note, 'the note of a source') },
		]),
	);
}

function readColumns(json: Json): Facts['columns'] {
	return rows(json.columns, 'columns', 3).map(([name, count, length]) => ({
		name: text(name, 'the name of a column'),
		count: whole(count, 'the count of a column'),
		length: whole(length, 'the length of a column'),
	}));
}

function readStart(json: Json): bigint {
	const start = text(json.start_ns, 'start_ns');
	return /^-?\d{1,20}$/.test(start) ? BigInt(start) : damaged('start_ns is no time');
}

/** Throws an Error that says what is wrong. */
export function readFacts(value: unknown): Facts {
	if (typeof value !== 'object' || value === null) return damaged('its tables are no object');
	const json = value as Json;
	if (json.version !== VERSION) {
		damaged(`it is of version ${json.version}, its viewer knows ${VERSION}`);
	}
	const strings = readStrings(json);
	const processes = readProcesses(json, strings);
	const threads = readThreads(json, strings, processes.length);
	return {
		title: text(json.title, 'the title'),
		facts: new Map(
			rows(json.facts, 'facts', 2).map(([k, v]) => [text(k, 'a fact'), text(v, 'a fact')]),
		),
		periodNs: whole(json.period_ns, 'period_ns', Infinity),
		unit: text(json.unit, 'the unit'),
		timed: json.timed !== false,
		startNs: readStart(json),
		durationNs: whole(json.duration_ns, 'duration_ns', Infinity),
		timeUnitNs: whole(json.time_unit_ns, 'time_unit_ns', Infinity, 1),
		cpuUnitNs: whole(json.cpu_unit_ns, 'cpu_unit_ns', Infinity, 1),
		strings,
		processes,
		threads,
		markers: readMarkers(json, strings, threads.length, processes.length),
		losses: readLosses(json),
		places: readPlaces(json, strings.length),
		sources: readSources(json, strings.length),
		syscalls: new Map(
			rows(json.syscalls, 'syscalls', 2).map(([n, name]) => [
				whole(n, 'a system call'),
				text(name, 'the name of a system call'),
			]),
		),
		columns: readColumns(json),
	};
}

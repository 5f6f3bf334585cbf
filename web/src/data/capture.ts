// SPDX-License-Identifier: MIT
/**
 * A capture as the page holds it: tables of typed arrays, the rows of a table are numbers.
 *
 * Stacks are rows of (parent, frame); a parent's row is smaller than its child's. The samples of a
 * thread lie together, in the order of their times; threads are in the order of `threads`. Times are
 * nanoseconds since the first sample of the capture, as numbers.
 */

export const NONE = -1;

export const enum FunctionKind {
	Python = 0,
	Thread = 1, // a thread or process as the root of its stacks
	Mark = 2, // something said about a sample: (no Python frame), (truncated), ...
	Place = 3, // a file or a package in place of its functions
}

/** Whose code a function is; as Place.kind. */
export const enum Origin {
	Own = 0,
	Package = 1,
	Stdlib = 2,
	None = 3, // a mark, a thread
}

export const enum SampleState {
	Unknown = 0,
	OnCpu = 1,
	Runnable = 2,
	Waiting = 3,
	Stopped = 4,
}

/** Flags of a sample; as in store/capture.h. */
export const enum Flag {
	HoldsGil = 1,
	WaitsForGil = 2,
	InGc = 4,
	Cut = 8,
	Unreadable = 16,
	TakenOver = 32,
}

export interface Process {
	readonly row: number;
	readonly pid: number;
	readonly name: string;
	readonly command: string;
	readonly startNs: number;
	readonly endNs: number | null; // null: not ended
}

export interface Thread {
	readonly row: number;
	readonly process: number; // row in processes
	readonly tid: number;
	readonly name: string;
	readonly main: boolean;
	readonly startNs: number;
	readonly endNs: number | null;
	readonly first: number; // its samples are rows first .. first + count - 1
	readonly count: number;
}

export interface Marker {
	readonly startNs: number;
	readonly endNs: number; // equal to startNs: a moment
	readonly thread: number; // NONE: of the process, or of all
	readonly process: number; // NONE: of all
	readonly name: string; // the kind: "GC", "GIL wait", "request"
	readonly text: string;
	readonly span?: Span; // that is shown as a marker
}

/** What the program said it was working on; of what lies in it, `parent` is smaller than the row. */
export interface Span {
	readonly row: number;
	readonly startNs: number;
	readonly endNs: number | null; // null: not ended
	readonly process: number; // NONE: not known, as the thread
	readonly thread: number; // on which it began
	readonly parent: number; // NONE: in no other
	readonly name: string; // the kind
	readonly text: string;
}

export interface Loss {
	readonly timeNs: number;
	readonly kind: 'missed' | 'no room' | 'no space';
	readonly count: number;
}

export interface Functions {
	readonly count: number;
	readonly name: Uint32Array; // rows in strings
	readonly file: Uint32Array; // rows in strings; "" if there is none
	readonly line: Uint32Array; // the first; 0: not known
	readonly kind: Uint8Array; // FunctionKind
}

export interface Frames {
	readonly count: number;
	readonly func: Uint32Array;
	readonly line: Uint32Array; // 0: not known
}

export interface Stacks {
	readonly count: number;
	readonly parent: Int32Array; // NONE: a root
	readonly frame: Uint32Array;
	readonly depth: Uint16Array; // frames, a root has 1
}

/** Columns; `thread` says whose a row is. */
export interface Samples {
	readonly count: number;
	readonly thread: Uint32Array;
	readonly timeNs: Float64Array;
	readonly stack: Uint32Array; // always one: samples without a frame have a mark
	readonly state: Uint8Array; // SampleState
	readonly flags: Uint8Array; // Flag
	readonly cpuNs: Float64Array; // of the thread since its sample before; 0 also: not known
	readonly syscall: Int16Array; // in which it waits; NONE: none, or not known
	readonly weight: Float64Array | null; // ticks it stands for; null: 1 each
	readonly span: Float64Array | null; // row of the innermost one + 1, 0: in none; null: all
}

/** How a file is called for people, and whose code it is. */
export interface Place {
	readonly short: string;
	readonly module: string;
	readonly kind: 'own' | 'package' | 'stdlib';
}

export interface Source {
	readonly text: string;
	readonly note: string; // "" or why to be careful: "changed after the recording"
}

export interface Capture {
	readonly title: string;
	readonly facts: ReadonlyMap<string, string>;
	readonly periodNs: number; // between two ticks; 0: samples are just counts, without times
	readonly unit: string; // what a sample's weight counts: "samples", "bytes"
	readonly timed: boolean; // false: samples have no times, all are 0
	readonly startNs: bigint; // of the first sample, since the epoch
	readonly durationNs: number; // from the first sample to the end of the last one
	readonly strings: readonly string[];
	readonly processes: readonly Process[];
	readonly threads: readonly Thread[];
	readonly markers: readonly Marker[];
	readonly losses: readonly Loss[];
	readonly spans: readonly Span[];
	readonly places: ReadonlyMap<number, Place>; // by the string row of the file
	readonly sources: ReadonlyMap<number, Source>; // by the string row of the file
	readonly syscalls: ReadonlyMap<number, string>;
	readonly functions: Functions;
	readonly frames: Frames;
	readonly stacks: Stacks;
	readonly samples: Samples;
}

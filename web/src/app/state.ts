// SPDX-License-Identifier: MIT
/**
 * What is looked at, and how: all that a link reproduces. Plain data, compared by identity: a change
 * makes new values. app/url.ts writes it into the address and reads it back.
 */

export const VIEWS = [
	'flame',
	'chart',
	'tree',
	'table',
	'sandwich',
	'source',
	'heatmap',
	'spans',
	'trust',
] as const;
export type ViewName = (typeof VIEWS)[number];

/** Nanoseconds since the first sample; the end is not part of it. */
export interface Range {
	readonly from: number;
	readonly to: number;
}

/** Which samples: as --wall, --cpu, --gil of the commands; idle is what --cpu leaves out. */
export type Mode = 'wall' | 'cpu' | 'gil' | 'idle';

export type Unit = 'time' | 'samples' | 'percent';
export type Granularity = 'lines' | 'functions' | 'files' | 'modules';
export type Colouring = 'module' | 'file' | 'state' | 'diff';

/**
 * A step that changes stacks, applied in the order of the list. Functions are rows of the capture,
 * modules are names.
 *
 *	focus      stacks begin at the outermost call of the function; those without it go
 *	only       stacks without the function go
 *	drop       stacks with the function go
 *	merge      calls of the function are left out of their stacks: their time goes to the caller
 *	recursion  direct recursion is one frame (of the function; of all with NONE)
 *	library    frames of a module that follow each other are one, named as the module
 *	path       only stacks that begin with these frames (of a call node: zooming, kept)
 */
export type Transform =
	| { readonly kind: 'focus' | 'only' | 'drop' | 'merge' | 'recursion'; readonly func: number }
	| { readonly kind: 'library'; readonly module: string }
	| { readonly kind: 'path'; readonly funcs: readonly number[] };

export interface Search {
	readonly text: string; // "": none
	readonly regex: boolean;
	readonly caseSensitive: boolean;
}

export interface Tracks {
	readonly hidden: readonly number[]; // rows of threads that are not shown and not counted
	readonly merged: boolean; // threads of one name, of one process, share a track
	/** main: main threads, then by start; of many threads the busiest. */
	readonly order: 'main' | 'start' | 'name' | 'busy';
	readonly window: Range | null; // what the timeline shows; null: all
}

export interface State {
	readonly view: ViewName;
	readonly ranges: readonly Range[]; // each within the one before; the last one is in force
	readonly compare: Range | null; // the time to compare with, if there is no baseline
	/** Of a live page: the range is the last so many nanoseconds, and goes on with the time; 0: no. */
	readonly last: number;
	readonly ago: number; // then: compared with what was so long before; 0: no
	readonly spans: string; // only samples in these (model/spans.ts); "": all
	readonly against: string; // spans to compare with; "": none
	readonly mode: Mode;
	readonly unit: Unit;
	readonly granularity: Granularity;
	readonly inverted: boolean; // icicle: the root on top; in the tree: callers below callees
	readonly leaves: boolean; // flame graph: merged from the leaves, callers outwards
	readonly widths: 'now' | 'before'; // flame graph of a comparison: whose shares are its widths
	readonly lane: number; // flame chart: row of a thread; NONE: the busiest; -2: all
	readonly colouring: Colouring;
	readonly tracks: Tracks;
	readonly transforms: readonly Transform[];
	/**
	 * Of the flame graph: nodes by key (model/tree.ts), from the root. Last ones below 0 are
	 * -1 - key of the first and the last of narrow siblings that are drawn as one box; without a
	 * last one it is all from the first on.
	 */
	readonly zoom: readonly number[];
	readonly search: Search;
	readonly sample: number; // row of the selected sample, or NONE
	readonly func: number; // the selected function (row of the capture), or NONE
	readonly line: number; // the selected line of its file, 0: none
	readonly sort: string; // of the table: "self", "-name"
	readonly filter: string; // of the table
	readonly theme: 'auto' | 'light' | 'dark';
}

export const INITIAL: State = {
	view: 'flame',
	ranges: [],
	compare: null,
	last: 0,
	ago: 0,
	spans: '',
	against: '',
	mode: 'wall',
	unit: 'time',
	granularity: 'functions',
	inverted: false,
	leaves: false,
	widths: 'now',
	lane: -1,
	colouring: 'module',
	tracks: { hidden: [], merged: false, order: 'main', window: null },
	transforms: [],
	zoom: [],
	search: { text: '', regex: true, caseSensitive: false },
	sample: -1,
	func: -1,
	line: 0,
	sort: 'self',
	filter: '',
	theme: 'auto',
};

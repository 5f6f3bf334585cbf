// SPDX-License-Identifier: MIT
/**
 * What the state leaves of a capture: the one thing that every adding-up view draws, so that they
 * always agree. model/show.ts makes it; it is made anew when the state's selection changes, and
 * kept when only the looks do.
 *
 * Stacks are shown with tables of their own, in which frames are merged (granularity) and transforms
 * are applied. Weights are counts of samples (ticks).
 */

/** Tables as shown. A parent's row is smaller than its child's. */
export interface ShownTables {
	/** Functions as shown: at granularity files and modules, a function is a file or a module. */
	readonly funcCount: number;
	readonly funcName: readonly string[];
	readonly funcFile: readonly string[]; // short, for people; "" if none
	readonly funcLine: Uint32Array; // first line; 0: none
	readonly funcModule: readonly string[];
	readonly funcKind: Uint8Array; // FunctionKind
	readonly funcOrigin: Uint8Array; // Origin (data/capture.ts); of files and modules too
	readonly funcOwn: Int32Array; // row in the capture's functions; NONE: it stands for many
	readonly frameCount: number;
	readonly frameFunc: Uint32Array;
	readonly frameLine: Uint32Array; // 0 unless granularity is lines
	readonly stackCount: number;
	readonly stackParent: Int32Array; // NONE: a root
	readonly stackFrame: Uint32Array;
	readonly stackDepth: Uint16Array;
}

/** Weights by shown stack, and their sums. */
export interface Side {
	readonly self: Float64Array; // samples that end there
	readonly total: Float64Array; // that end there or below
	readonly sum: number; // of all self
	readonly samples: number; // the number of samples behind it: for the sampling error
	readonly shares: Float64Array[]; // by stack, of self: on processor, runnable, waiting, other
}

export interface Shown {
	readonly tables: ShownTables;
	/** Shown stack by capture stack; NONE: left out by a transform. */
	readonly stackOf: Int32Array;
	readonly now: Side;
	/**
	 * What it is compared with: the baseline (all of its time, weights in periods of the capture) or
	 * the other range; null if nothing is compared.
	 */
	readonly before: Side | null;
	/** Samples in range and mode that transforms and hidden threads left out. */
	readonly leftOut: number;
	/** Nanoseconds that one weight stands for; 0: no times. */
	readonly periodNs: number;
}

// SPDX-License-Identifier: MIT
/**
 * What every view is given: the capture, the state and its changes, what is shown, and the shared
 * parts of the page. A view draws from it, and changes it by set(); it never talks to other views.
 */
import type { Capture } from '../data/capture.js';
import type { Shown } from '../model/shown.js';
import type { Tree } from '../model/tree.js';
import type { State } from './state.js';

/** What the pointer is over, in any view: lights up everywhere. Not part of the state. */
export interface Hover {
	readonly sample: number; // row of a sample, or NONE
	readonly func: number; // of the shown tables, or NONE
	readonly stack: number; // of the shown tables, or NONE
}

export interface MenuItem {
	readonly label: string;
	readonly key?: string; // shown at the right; the view handles it
	readonly run?: () => void; // without: a separator or a heading
}

export interface App {
	readonly capture: Capture;
	readonly baseline: Capture | null; // rows of functions, frames and stacks are those of `capture`
	readonly state: State;
	/** Shown for the state; kept until the selection changes. */
	shown(): Shown;
	/** Call tree of shown(); with `inverted`, roots are leaves and children are callers. */
	tree(inverted: boolean): Tree;
	/**
	 * Changes the state and lets all views know before the next frame is drawn. 'step' makes an entry
	 * in the history of the browser (back undoes it), 'move' replaces the last one.
	 */
	set(patch: Partial<State>, how?: 'step' | 'move'): void;
	readonly hover: Hover;
	setHover(hover: Partial<Hover> | null): void;
	/** A range being dragged on the timeline or the heat map: views may follow it; null: over. */
	readonly preview: { readonly from: number; readonly to: number } | null;
	setPreview(range: { readonly from: number; readonly to: number } | null): void;
	showMenu(x: number, y: number, items: readonly MenuItem[]): void;
	/** Lines of plain text near a point of the window; null hides it. */
	showTip(x: number, y: number, lines: readonly string[] | null): void;
	/** Says something briefly, to screen readers too. */
	say(text: string): void;
	copy(text: string, what: string): void;
	/** Offers a file to save. */
	save(name: string, type: string, content: string | Blob): void;
}

/** 'capture': of a live page, samples came and went; all but the rows of samples are what they were. */
export type Change = keyof State | 'hover' | 'preview' | 'shown' | 'size' | 'colours' | 'capture';

export interface View {
	/** Once: makes its elements below `root`, which is empty and its own; update() of all follows. */
	mount(root: HTMLElement, app: App): void;
	/** At most once per drawn frame, only while it is visible: what changed since the last call. */
	update(changed: ReadonlySet<Change>): void;
	/** Keys that the page did not use; true if it was used. */
	key?(event: KeyboardEvent): boolean;
	/** Rows for the help overlay: what to press or click, and what it does. */
	readonly help: readonly (readonly [string, string])[];
	/** The picture as it is shown, for "save as SVG" and "PNG" and for printing. */
	svg?(): string;
}

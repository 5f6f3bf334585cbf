// SPDX-License-Identifier: MIT
/**
 * Holds the state: takes changes, keeps the address in step, and tells once per drawn frame what
 * changed since the frame before. Knows no browser: that is its host's.
 */
import type { Change } from './app.js';
import type { State } from './state.js';
import { readState, writeState } from './url.js';

export interface StoreHost {
	/** Runs it before the next frame is drawn. */
	frame(run: () => void): void;
	/** Runs it when things have come to rest; called again, it waits anew. */
	rest(run: () => void): void;
	/** A new entry in the history, or another fragment for the present one. */
	push(fragment: string): void;
	replace(fragment: string): void;
	/** Told what changed, once per frame. */
	draw(changed: ReadonlySet<Change>): void;
	/** The same state without what the capture does not have. */
	check(state: State): State;
	/** What the address says of a state, and the other way round, if it is not just the state. */
	readonly outward?: (state: State) => State;
	readonly inward?: (state: State) => State;
}

export interface Store {
	readonly state: State;
	/** See App.set(). Steps of one frame are one entry in the history. */
	set(patch: Partial<State>, how?: 'step' | 'move'): void;
	/** The state that a fragment says: the browser went there. Makes no entry. */
	go(fragment: string): void;
	/** Another state that nobody chose: times go by. The address stays. */
	become(state: State): void;
	/** Something else changed. */
	mark(change: Change): void;
}

type Key = keyof State;

/** Equal in what they hold: states are plain data. */
export function isSame(a: unknown, b: unknown): boolean {
	return Object.is(a, b) || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

/** `next`, but with the values of `old` where they are equal, and the keys where they are not. */
function reconcile(old: State, next: State): { state: State; changed: Key[] } {
	const changed = (Object.keys(next) as Key[]).filter((key) => !isSame(old[key], next[key]));
	if (changed.length === 0) return { state: old, changed };
	const kept = (Object.keys(old) as Key[]).filter((key) => !changed.includes(key));
	const same = Object.fromEntries(kept.map((key) => [key, old[key]])) as Partial<State>;
	return { state: { ...next, ...same }, changed };
}

/** Whole nanoseconds, as the address has them: a link shows just what was seen. */
function settled(patch: Partial<State>): Partial<State> {
	const whole = (r: { from: number; to: number }) => {
		const from = Math.round(r.from);
		return { from, to: Math.max(from + 1, Math.round(r.to)) };
	};
	return {
		...patch,
		...(patch.ranges ? { ranges: patch.ranges.map(whole) } : {}),
		...(patch.compare ? { compare: whole(patch.compare) } : {}),
	};
}

export function makeStore(initial: State, host: StoreHost): Store {
	const fragmentOf = (of: State): string => writeState(host.outward?.(of) ?? of);
	const stateOf = (fragment: string): State => {
		const read = readState(fragment);
		return host.inward?.(read) ?? read;
	};
	let state = host.check(initial);
	let pending = new Set<Change>();
	let behind = false; // the address is
	let stepped = false; // in this frame there is an entry already

	const flush = (): void => {
		const changed = pending;
		pending = new Set();
		stepped = false;
		host.draw(changed);
	};
	const mark = (change: Change): void => {
		if (pending.size === 0) host.frame(flush);
		pending.add(change);
	};
	const settle = (): void => {
		if (behind) host.replace(fragmentOf(state));
		behind = false;
	};
	const become = (wanted: State): void => {
		const { state: next, changed } = reconcile(state, host.check(wanted));
		state = next;
		for (const key of changed) mark(key);
	};
	return {
		get state() {
			return state;
		},
		set(patch, how = 'step') {
			const { state: next, changed } = reconcile(state, { ...state, ...settled(patch) });
			if (changed.length === 0) return;
			if (how === 'step' && !stepped) settle();
			state = next;
			for (const key of changed) mark(key);
			if (how === 'step') {
				if (stepped) host.replace(fragmentOf(state));
				else host.push(fragmentOf(state));
				stepped = true;
				behind = false;
			} else {
				behind = true;
				host.rest(settle);
			}
		},
		go(fragment) {
			behind = false;
			become(stateOf(fragment));
		},
		become,
		mark,
	};
}

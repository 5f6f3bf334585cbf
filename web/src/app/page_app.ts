// SPDX-License-Identifier: MIT
/** The App that views are given: store, what is shown, and the shared parts of the page together. */
import type { Capture } from '../data/capture.js';
import { NONE } from '../data/capture.js';
import { Shower } from '../model/show.js';
import type { Shown } from '../model/shown.js';
import type { Tree } from '../model/tree.js';
import { makeTree } from '../model/tree.js';
import { offerFile, putOnClipboard } from '../ui/give.js';
import { makeMenu } from '../ui/menu.js';
import { makeTip } from '../ui/tip.js';
import { makeToast } from '../ui/toast.js';
import type { App, Change, Hover } from './app.js';
import { makeBrowserHost } from './browser.js';
import { checkState } from './check.js';
import type { State } from './state.js';
import { INITIAL } from './state.js';
import type { Store } from './store.js';
import { isSame, makeStore, type StoreHost } from './store.js';
import { readState } from './url.js';

/** What a change of these may make Shown another one. */
const SELECTION: readonly (keyof State)[] = [
	'ranges',
	'compare',
	'spans',
	'against',
	'mode',
	'granularity',
	'transforms',
	'tracks',
];

/** As if all of it had changed: for what has just been made. */
export const EVERYTHING: ReadonlySet<Change> = new Set<Change>([
	...(Object.keys(INITIAL) as (keyof State)[]),
	'hover',
	'preview',
	'shown',
	'size',
	'colours',
	'capture',
]);

const NO_HOVER: Hover = { sample: NONE, func: NONE, stack: NONE };

/** The App, and what only the page's own parts use. */
export interface PageApp extends App {
	readonly store: Store;
	/** `capture` has become another one: its samples, and the state for it. */
	renew(now: Capture, state: State): void;
	/** Tells visible views that this changed, without a change of the state. */
	mark(change: Change): void;
	/** A menu, a tip: true if there was one that is closed now. */
	close(): boolean;
}

/** How a page is led whose capture is renewed. */
export interface LiveHost {
	/** The state at first, from what a link says. */
	first(state: State): State;
	/** What a change by hand means. */
	byHand(patch: Partial<State>, state: State): Partial<State>;
	readonly address: Required<Pick<StoreHost, 'outward' | 'inward'>>;
}

/** Keeps Shown while the selection stays, and the trees of the last Shown. */
function makeKeeper(capture: Capture, baseline: Capture | null, live: boolean) {
	let shower = new Shower(capture, baseline, live);
	let of: State | null = null;
	let shown: Shown | null = null;
	let trees: (Tree | undefined)[] = [];
	const same = (a: State, b: State): boolean =>
		SELECTION.every((key) =>
			key === 'tracks' ? isSame(a.tracks.hidden, b.tracks.hidden) : a[key] === b[key],
		);
	const show = (state: State): Shown => {
		if (shown && of && same(of, state)) return shown;
		const next = shower.show(state);
		if (next !== shown) trees = [];
		of = state;
		shown = next;
		return next;
	};
	return {
		show,
		renew(now: Capture): void {
			shower = new Shower(now, null, true);
			of = null;
		},
		tree(state: State, inverted: boolean): Tree {
			const from = show(state);
			const kept = trees[inverted ? 1 : 0] ?? makeTree(from, inverted);
			trees[inverted ? 1 : 0] = kept;
			return kept;
		},
	};
}

/**
 * `draw` is called once per frame in which something changed; 'shown' is among it if what is shown
 * is another one. Takes the state from the address.
 */
export function makePageApp(
	capture: Capture,
	baseline: Capture | null,
	draw: (changed: ReadonlySet<Change>) => void,
	live: LiveHost | null = null,
): PageApp {
	const browser = makeBrowserHost();
	const keeper = makeKeeper(capture, baseline, live !== null);
	const [menu, tip, toast] = [makeMenu(), makeTip(), makeToast()];
	let hover = NO_HOVER;
	let preview: App['preview'] = null;
	let last: Shown | null = null;

	const withShown = (changes: ReadonlySet<Change>): ReadonlySet<Change> => {
		const changed = changes.has('theme') ? new Set<Change>([...changes, 'colours']) : changes;
		const other = changed.has('capture') || SELECTION.some((key) => changed.has(key));
		if (last && !other) return changed;
		const now = keeper.show(store.state);
		if (now === last) return changed;
		last = now;
		// its rows are of tables that are gone
		hover = { ...hover, func: NONE, stack: NONE };
		return new Set([...changed, 'shown']);
	};
	const first = readState(location.hash);
	const store = makeStore(live?.first(first) ?? first, {
		...browser,
		...live?.address,
		draw: (changed) => draw(withShown(changed)),
		check: (state) => checkState(state, capture),
	});
	browser.follow(store);

	return {
		capture,
		baseline,
		store,
		get state() {
			return store.state;
		},
		shown: () => keeper.show(store.state),
		tree: (inverted) => keeper.tree(store.state, inverted),
		set: (patch, how) => store.set(live?.byHand(patch, store.state) ?? patch, how),
		get hover() {
			return hover;
		},
		setHover(next) {
			const wanted = next ? { ...NO_HOVER, ...next } : NO_HOVER;
			if (isSame(wanted, hover)) return;
			hover = wanted;
			store.mark('hover');
		},
		get preview() {
			return preview;
		},
		setPreview(range) {
			if (isSame(range, preview)) return;
			preview = range;
			store.mark('preview');
		},
		mark: store.mark,
		renew(now, state) {
			keeper.renew(now);
			hover = { ...hover, sample: NONE };
			store.become(state);
			store.mark('capture');
		},
		showMenu(x, y, items) {
			tip.show(0, 0, null);
			menu.open(x, y, items);
		},
		showTip(x, y, lines) {
			if (!menu.isOpen()) tip.show(x, y, lines);
		},
		close() {
			tip.show(0, 0, null);
			return menu.close();
		},
		say: toast.say,
		copy(text, what) {
			putOnClipboard(text).then(
				() => toast.say(`Copied: ${what}`),
				() => toast.say('The browser does not let this page copy'),
			);
		},
		save: offerFile,
	};
}

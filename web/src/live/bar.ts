// SPDX-License-Identifier: MIT
/** The row of a live page: whether it is, how fast, what is followed; start, stop and save. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { State } from '../app/state.js';
import { menuButton } from '../ui/actions.js';
import { attributes, button, make, part } from '../ui/dom.js';
import { formatCount } from '../ui/format.js';
import type { Status } from './control.js';
import { agoOf, endsNow } from './follow.js';
import type { Link } from './stream.js';

/** What the bar tells of. */
export interface LiveState {
	readonly link: Link;
	readonly status: Status | null; // null: not known yet
	readonly paused: boolean;
	readonly behindNs: number; // of what is shown, while it is paused
	readonly perSecond: number; // samples
	readonly silentMs: number; // since there was a sample
	readonly againMs: number; // until it is tried again, if the connection is lost
}

export interface BarHost {
	readonly keepNs: number;
	now(): LiveState;
	pause(paused: boolean): void;
	retry(): void;
	setSampling(sampling: boolean): void;
	save(format: 'html' | 'fgc' | 'folded'): void;
}

export interface Bar {
	update(changed: ReadonlySet<Change>): void;
	/** As time goes by. */
	refresh(): void;
}

const SILENT_MS = 4000; // without samples that is worth a word

type Mood = 'live' | 'idle' | 'bad';

/** "40 s", "5 min", "1 min 20 s". */
export function span(ns: number): string {
	const all = Math.round(ns / 1e9);
	const [minutes, rest] = [Math.floor(all / 60), all % 60];
	return [minutes ? `${minutes} min` : '', rest || !minutes ? `${rest} s` : ''].join(' ').trim();
}

/** What it is now, in a word or two, and more of it. */
export function headline(s: LiveState): { mood: Mood; text: string; more: string } {
	const { link } = s;
	if (link.is === 'refused') return { mood: 'bad', text: 'Refused', more: link.why };
	if (link.is === 'lost') {
		const again = s.againMs >= 1000 ? `, again in ${Math.ceil(s.againMs / 1000)} s` : '';
		return { mood: 'bad', text: 'Connection lost', more: link.why + again };
	}
	if (s.paused) {
		const more = s.behindNs >= 1e9 ? `${span(s.behindNs)} more have come since` : '';
		return { mood: 'idle', text: 'Paused', more };
	}
	if (link.is === 'connecting') return { mood: 'idle', text: 'Connecting', more: '' };
	if (s.status?.ended) return { mood: 'idle', text: 'The program has ended', more: '' };
	if (s.status?.sampling === false) return { mood: 'idle', text: 'Sampling is stopped', more: '' };
	if (s.silentMs > SILENT_MS) {
		return { mood: 'idle', text: 'Live', more: `no samples for ${span(s.silentMs * 1e6)}` };
	}
	return { mood: 'live', text: 'Live', more: `${formatCount(Math.round(s.perSecond))} samples/s` };
}

interface Select {
	readonly element: HTMLElement;
	/** `other`: what is said if the value is none of the options. */
	set(value: number, other: string): void;
}

function makeSelect(
	label: string,
	title: string,
	options: readonly (readonly [number, string])[],
	choose: (value: number) => void,
): Select {
	const select = attributes(make('select'), { title });
	for (const [value, text] of options) select.append(new Option(text, String(value)));
	const apart = new Option('', 'other');
	select.addEventListener('change', () => {
		if (select.value !== 'other') choose(Number(select.value));
	});
	return {
		element: make('label', 'choice', make('span', '', label), select),
		set(value, other) {
			const known = options.some(([one]) => one === value);
			if (known === apart.isConnected) {
				if (known) apart.remove();
				else select.append(apart);
			}
			if (apart.text !== other) apart.text = other;
			const wanted = known ? String(value) : 'other';
			if (select.value !== wanted) select.value = wanted;
		},
	};
}

const SPANS = [10e9, 30e9, 60e9, 300e9];
const DISTANCES = [60e9, 120e9, 300e9, 600e9];
const CHOSEN = -1; // a range chosen by hand

function showsSelect(app: PageApp, keepNs: number): { element: HTMLElement; update(): void } {
	const options: [number, string][] = SPANS.filter((ns) => ns < keepNs).map((ns) => [
		ns,
		`the last ${span(ns)}`,
	]);
	const select = makeSelect(
		'Show',
		'How much of the time up to now is counted; a range of the timeline stays where it is',
		[[0, 'all that is kept'], ...options],
		(last) => {
			const { durationNs } = app.capture;
			const window = last > 0 ? { from: durationNs - last, to: durationNs } : null;
			const own = last > 0 ? {} : { ranges: [], compare: null };
			app.set({ ...own, last, ago: 0, tracks: { ...app.state.tracks, window } });
		},
	);
	return {
		element: select.element,
		update() {
			const { last, ranges } = app.state;
			const chosen = last === 0 && ranges.length > 0;
			select.set(chosen ? CHOSEN : last, chosen ? 'the selected range' : `the last ${span(last)}`);
		},
	};
}

function compareSelect(app: PageApp, keepNs: number): { element: HTMLElement; update(): void } {
	const least = DISTANCES.filter((ns) => ns <= keepNs);
	const select = makeSelect(
		'Compare',
		'Now with what was some minutes ago, or as long ago as is kept',
		[[0, 'nothing'], ...least.map((ns): [number, string] => [ns, `with ${span(ns)} ago`])],
		(ago) => {
			const { tracks, last } = app.state;
			if (ago > 0) {
				const asked = agoOf(ago, app.capture.durationNs);
				app.set({ ...asked, tracks: { ...tracks, window: null } });
			} else app.set(last > 0 ? { last, ago } : { last: 0, ago, compare: null });
		},
	);
	return {
		element: select.element,
		update() {
			const { ago, compare } = app.state;
			const chosen = ago === 0 && compare !== null;
			select.set(
				chosen ? CHOSEN : ago,
				chosen ? 'with the selected range' : `with ${span(ago)} ago`,
			);
		},
	};
}

/** The timeline goes with the time again. */
function followNow(app: PageApp): void {
	const { tracks } = app.state;
	const { durationNs } = app.capture;
	if (!tracks.window) return;
	const { from, to } = tracks.window;
	const window = { from: Math.max(0, durationNs - (to - from)), to: durationNs };
	app.set({ tracks: { ...tracks, window } }, 'move');
}

const KEYS: readonly (keyof State)[] = ['ranges', 'compare', 'last', 'ago', 'tracks'];

function setText(element: HTMLElement, text: string): void {
	if (element.textContent !== text) element.textContent = text;
}

export function makeBar(app: PageApp, host: BarHost): Bar {
	const light = attributes(make('span', 'live-light'), { 'aria-hidden': 'true' });
	const what = attributes(make('b', 'live-what'), { role: 'status' });
	const more = make('span', 'live-more');
	const again = button('', 'Try now', 'Connect again at once', host.retry);
	const pause = button('live-pause', 'Pause', '', () => host.pause(!host.now().paused));
	const now = button('', 'Follow now', 'The timeline goes with the time again', () =>
		followNow(app),
	);
	const sampling = button('live-sampling', '', '', () =>
		host.setSampling(host.now().status?.sampling === false),
	);
	const save = menuButton(app, 'Save', 'What is kept, as a file', () => [
		{ label: 'Save as a page (.html)', run: () => host.save('html') },
		{ label: 'Save as a capture (.fgc)', run: () => host.save('fgc') },
		{ label: 'Save as folded text', run: () => host.save('folded') },
	]);
	const shows = showsSelect(app, host.keepNs);
	const compare = compareSelect(app, host.keepNs);
	const bar = make(
		'section',
		'live',
		make('div', 'live-state', light, what, more, again),
		pause,
		shows.element,
		compare.element,
		now,
		make('div', 'live-end', sampling, save),
	);
	attributes(bar, { 'aria-label': 'Live' });
	part('tools').before(bar);
	bar.parentElement?.classList.add('page-live');

	const refresh = (): void => {
		const state = host.now();
		const head = headline(state);
		bar.dataset.mood = head.mood;
		setText(what, head.text);
		setText(more, head.more);
		more.title = head.more;
		again.hidden = state.link.is !== 'lost' && state.link.is !== 'refused';
		setText(pause, state.paused ? 'Go on' : 'Pause');
		pause.title = state.paused
			? 'Show what is now'
			: 'What is shown stays as it is; recording goes on';
		attributes(pause, { 'aria-pressed': String(state.paused) });
		sampling.hidden = state.status === null || state.status.ended;
		const stopped = state.status?.sampling === false;
		setText(sampling, stopped ? 'Start sampling' : 'Stop sampling');
		sampling.title = stopped
			? ''
			: 'The program is not looked at any more until it is started again';
	};
	return {
		refresh,
		update(changed) {
			if (!changed.has('capture') && !KEYS.some((key) => changed.has(key))) return;
			shows.update();
			compare.update();
			const { window } = app.state.tracks;
			now.hidden = window === null || endsNow(window, app.capture.durationNs);
			refresh();
		},
	};
}

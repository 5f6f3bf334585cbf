// SPDX-License-Identifier: MIT
/** The page around the views: puts its parts together and passes on what changes. */
import type { Capture } from '../data/capture.js';
import { exportButton, themeButton } from '../ui/actions.js';
import { makeChips } from '../ui/chips.js';
import type { Choice } from '../ui/choices.js';
import { LEVELS, MODES, makeSelect, makeSwitch, UNITS } from '../ui/choices.js';
import { listenDivider } from '../ui/divider.js';
import { attributes, button, make, part } from '../ui/dom.js';
import { emptyReasons, showNotice } from '../ui/empty.js';
import { fillHead } from '../ui/head.js';
import type { HelpRows } from '../ui/help.js';
import { makeHelp, PAGE_HELP } from '../ui/help.js';
import { makeWaitHint } from '../ui/hint.js';
import { listenPrint } from '../ui/print.js';
import { makeSearchBox } from '../ui/search_box.js';
import { makeTabs, panelId, tabId } from '../ui/tabs.js';
import { makeThreadFilter } from '../ui/threads.js';
import { makeDetails } from '../views/details.js';
import { makeTimeline } from '../views/timeline.js';
import type { Change } from './app.js';
import { hasStates, viewsOf } from './check.js';
import { listenKeys } from './keys.js';
import type { LiveHost, PageApp } from './page_app.js';
import { EVERYTHING, makePageApp } from './page_app.js';
import type { Place } from './place.js';
import { makePlace } from './place.js';
import type { State, ViewName } from './state.js';
import { REGISTRY } from './views.js';

export interface Updated {
	update(changed: ReadonlySet<Change>): void;
}

interface Panel {
	readonly element: HTMLElement;
	readonly place: Place;
}

type Panels = ReadonlyMap<ViewName, Panel>;

/** The places of the views, each a panel of its tab. */
function makePanels(app: PageApp, views: readonly ViewName[]): Panels {
	const main = part('main');
	main.replaceChildren();
	return new Map(
		views.map((view) => {
			const element = attributes(make('div', 'place'), {
				id: panelId(view),
				role: 'tabpanel',
				'aria-labelledby': tabId(view),
			});
			element.hidden = true;
			main.append(element);
			const { label, make: makeView } = REGISTRY[view];
			return [view, { element, place: makePlace(element, label, makeView, app) }];
		}),
	);
}

/** Theme of the state, for the style and for currentTheme(). */
function setTheme(theme: State['theme']): void {
	attributes(document.documentElement, { 'data-theme': theme === 'auto' ? null : theme });
}

/** The row of switches and chips; on small screens most of it opens by a button. */
function fillTools(app: PageApp, live: boolean): Updated[] {
	const { capture } = app;
	const units = capture.periodNs > 0 ? UNITS : UNITS.filter(([unit]) => unit !== 'time');
	const hint = makeWaitHint(app);
	const mode =
		live || hasStates(capture) ? [makeSwitch(app, 'mode', 'Which samples', MODES), hint] : [];
	mode[0]?.element.addEventListener('click', hint.dismiss);
	const others: Choice[] = [
		makeSelect(app, 'granularity', 'by', LEVELS),
		makeSelect(app, 'unit', 'in', units),
		...(live || capture.threads.length > 1 ? [makeThreadFilter(app)] : []),
	];
	const more = attributes(make('div', 'tools-more', ...others.map((choice) => choice.element)), {
		id: 'tools-more',
	});
	const opener = button('tools-opener', 'Options', '', () => {
		const open = more.classList.toggle('open');
		attributes(opener, { 'aria-expanded': String(open) });
	});
	attributes(opener, { 'aria-expanded': 'false', 'aria-controls': more.id });
	const chips = makeChips(app);
	const [modes, hinted] = mode.map((choice) => choice.element);
	part('tools').replaceChildren(modes ?? '', opener, hinted ?? '', more, chips.element);
	return [...mode, ...others, chips];
}

/** A press of a key that the view itself understands, as the buttons of the search are. */
function pressStep(place: Place | undefined, by: 1 | -1): void {
	place?.key(new KeyboardEvent('keydown', by > 0 ? { key: 'n' } : { key: 'N', shiftKey: true }));
}

/** Tells what no event of the state tells: sizes, and what the system prefers. */
function watchSurroundings(app: PageApp): void {
	new ResizeObserver(() => app.mark('size')).observe(part('main'));
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => app.mark('colours'));
	// another zoom, another screen
	addEventListener('resize', () => app.mark('size'));
}

/** The parts of an open page. */
interface Parts {
	readonly app: PageApp;
	readonly panels: Panels;
	readonly timeline: Place;
	readonly details: Place;
	current(): Panel | undefined;
}

/** Of the present view first, then of all that has any. */
function helpOf({ app, panels }: Parts): readonly (readonly [string, HelpRows])[] {
	const of = (view: ViewName) => [REGISTRY[view].label, REGISTRY[view].make().help] as const;
	const { view: seen } = app.state;
	return [
		of(seen),
		['Everywhere', PAGE_HELP],
		...(app.capture.timed ? [['Timeline', makeTimeline().help] as const] : []),
		...[...panels.keys()].filter((view) => view !== seen).map(of),
		['Details', makeDetails().help],
	];
}

/** Head, search and keys; what of it wants to be told of changes. */
function fillTop(parts: Parts): Updated {
	const { app, panels, timeline, details, current } = parts;
	const help = makeHelp(() => helpOf(parts));
	const search = makeSearchBox(app, (by) => pressStep(current()?.place, by));
	const seen = () => ({
		view: current()?.place.view ?? null,
		panel: current()?.element ?? null,
	});
	const about = fillHead(part('head'), app, search.element, [
		exportButton(app, seen),
		themeButton(app),
		button('opener', '?', 'Keys and gestures (?)', help.toggle),
	]);
	listenKeys(app, {
		views: [...panels.keys()],
		main: part('main'),
		timeline: part('timeline'),
		details: part('details'),
		places: { timeline, details },
		current: () => current()?.place,
		search: search.focus,
		help: help.toggle,
	});
	return {
		update(changed) {
			search.update(changed);
			if (changed.has('capture')) about.refresh();
		},
	};
}

/** "Call tree: All 3.00 s, 1 s \u2013 2 s": the present view and what narrows it. */
function wordsOf(app: PageApp): string {
	const chips = [...document.querySelectorAll('.chip-text')].map((chip) => chip.textContent ?? '');
	return [REGISTRY[app.state.view].label, chips.join(', ')].filter((t) => t !== '').join(': ');
}

/** The first stop of Tab leads past all the switches. */
function addSkip(): void {
	const skip = button('skip', 'To the view', '', () => {
		const first = part('main').querySelector<HTMLElement>('.place:not([hidden]) [tabindex="0"]');
		(first ?? part('main')).focus();
	});
	document.body.prepend(skip);
}

/** Tabs, and the places in which views appear; the timeline and the details are always seen. */
function openPlaces({ app, panels, timeline, details }: Parts): Updated[] {
	const tabs = makeTabs([...panels.keys()], (view) => app.set({ view }));
	part('tabs').replaceChildren(tabs.element);
	const show = (): void => {
		tabs.set(app.state.view);
		for (const [view, { place }] of panels) place.show(view === app.state.view);
	};
	const { timed } = app.capture;
	part('timeline').hidden = !timed;
	if (timed) timeline.show(true);
	details.show(true);
	show();
	const places = [...panels.values()].map((panel) => panel.place);
	const showing: Updated = { update: (changed) => changed.has('view') && show() };
	return [showing, ...(timed ? [timeline] : []), ...places, details];
}

/** What a live page has more. */
export interface LivePage {
	readonly host: LiveHost;
	/** Told of changes as all parts of the page. */
	start(app: PageApp): Updated;
}

/** Fills the page with a capture, and from then on lives by events. */
export function openPage(
	capture: Capture,
	baseline: Capture | null,
	live: LivePage | null = null,
): void {
	let told: readonly Updated[] = [];
	const draw = (changed: ReadonlySet<Change>): void => {
		if (changed.has('theme')) setTheme(app.state.theme);
		for (const one of told) one.update(changed);
	};
	const app = makePageApp(capture, baseline, draw, live?.host);
	setTheme(app.state.theme);
	if (capture.samples.count === 0) {
		fillHead(part('head'), app, null, [themeButton(app)]);
		showNotice('There are no samples in this report.', emptyReasons(capture));
		return;
	}
	document.documentElement.classList.remove('empty');
	const panels = makePanels(app, viewsOf(capture));
	const parts: Parts = {
		app,
		panels,
		timeline: makePlace(part('timeline'), 'Timeline', makeTimeline, app),
		details: makePlace(part('details'), 'Details', makeDetails, app),
		current: () => panels.get(app.state.view),
	};
	const own = live ? [live.start(app)] : [];
	const around = [fillTop(parts), ...fillTools(app, live !== null), ...own];
	for (const one of around) one.update(EVERYTHING);
	listenDivider(part('divider'), part('details'));
	addSkip();
	told = [...around, ...openPlaces(parts)];
	watchSurroundings(app);
	listenPrint(
		capture,
		() => ({ view: parts.current()?.place.view ?? null, words: wordsOf(app) }),
		() => parts.current()?.place.update(new Set<Change>(['colours'])),
	);
}

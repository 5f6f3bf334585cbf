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
import { makeHelp, PAGE_HELP } from '../ui/help.js';
import { listenPrint } from '../ui/print.js';
import { makeSearchBox } from '../ui/search_box.js';
import { makeTabs, panelId, tabId } from '../ui/tabs.js';
import { makeThreadFilter } from '../ui/threads.js';
import { makeDetails } from '../views/details.js';
import { makeTimeline } from '../views/timeline.js';
import type { Change } from './app.js';
import { hasStates, viewsOf } from './check.js';
import { listenKeys } from './keys.js';
import type { PageApp } from './page_app.js';
import { EVERYTHING, makePageApp } from './page_app.js';
import type { Place } from './place.js';
import { makePlace } from './place.js';
import type { State, ViewName } from './state.js';
import { REGISTRY } from './views.js';

interface Updated {
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
function fillTools(app: PageApp): Updated[] {
	const { capture } = app;
	const units = capture.periodNs > 0 ? UNITS : UNITS.filter(([unit]) => unit !== 'time');
	const mode = hasStates(capture) ? [makeSwitch(app, 'mode', 'Which samples', MODES)] : [];
	const others: Choice[] = [
		makeSelect(app, 'granularity', 'by', LEVELS),
		makeSelect(app, 'unit', 'in', units),
		...(capture.threads.length > 1 ? [makeThreadFilter(app)] : []),
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
	const first = mode.map((choice) => choice.element);
	part('tools').replaceChildren(...first, opener, more, chips.element);
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

/** The views and what is around them, for a capture that has samples. */
function openViews(app: PageApp, panels: Panels): Updated[] {
	const views = [...panels.keys()];
	const tabs = makeTabs(views, (view) => app.set({ view }));
	part('tabs').replaceChildren(tabs.element);
	const timeline = makePlace(part('timeline'), 'Timeline', makeTimeline, app);
	const details = makePlace(part('details'), 'Details', makeDetails, app);
	const current = (): Panel | undefined => panels.get(app.state.view);
	const help = makeHelp(() => [
		[REGISTRY[app.state.view].label, REGISTRY[app.state.view].make().help],
		['Everywhere', PAGE_HELP],
		...(app.capture.timed ? [['Timeline', makeTimeline().help] as const] : []),
		...views
			.filter((view) => view !== app.state.view)
			.map((view) => [REGISTRY[view].label, REGISTRY[view].make().help] as const),
		['Details', makeDetails().help],
	]);
	const search = makeSearchBox(app, (by) => pressStep(current()?.place, by));
	fillHead(part('head'), app, search.element, [
		exportButton(app, () => ({
			view: current()?.place.view ?? null,
			panel: current()?.element ?? null,
		})),
		themeButton(app),
		button('opener', '?', 'Keys and gestures (?)', help.toggle),
	]);
	const tools = fillTools(app);
	listenDivider(part('divider'), part('details'));
	listenKeys(app, {
		views,
		main: part('main'),
		timeline: part('timeline'),
		details: part('details'),
		places: { timeline, details },
		current: () => current()?.place,
		search: search.focus,
		help: help.toggle,
	});
	listenPrint(app.capture, () => ({
		view: current()?.place.view ?? null,
		name: `${app.capture.title}: ${REGISTRY[app.state.view].label}`,
		selection: [...document.querySelectorAll('.chip-text')].map((c) => c.textContent).join(', '),
	}));
	const show = (): void => {
		tabs.set(app.state.view);
		for (const [view, { place }] of panels) place.show(view === app.state.view);
	};
	part('timeline').hidden = !app.capture.timed;
	const showing: Updated = { update: (changed) => changed.has('view') && show() };
	const timed = app.capture.timed ? [timeline] : [];
	for (const place of [...timed, details]) place.show(true);
	show();
	const places = [...panels.values()].map((panel) => panel.place);
	return [showing, search, ...tools, ...timed, ...places, details];
}

/** Fills the page with a capture, and from then on lives by events. */
export function openPage(capture: Capture, baseline: Capture | null): void {
	let parts: readonly Updated[] = [];
	const app = makePageApp(capture, baseline, (changed) => {
		if (changed.has('theme')) setTheme(app.state.theme);
		for (const one of parts) one.update(changed);
	});
	setTheme(app.state.theme);
	if (capture.samples.count === 0) {
		fillHead(part('head'), app, null, [themeButton(app)]);
		showNotice('There are no samples in this report.', emptyReasons(capture));
		return;
	}
	const panels = makePanels(app, viewsOf(capture));
	parts = openViews(app, panels);
	for (const one of parts.slice(1)) one.update(EVERYTHING);
	watchSurroundings(app);
}

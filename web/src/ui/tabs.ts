// SPDX-License-Identifier: MIT
/** The list of views, as tabs. */
import type { ViewName } from '../app/state.js';
import { REGISTRY } from '../app/views.js';
import { attributes, make, rove } from './dom.js';

export interface Tabs {
	readonly element: HTMLElement;
	set(view: ViewName): void;
}

export const tabId = (view: ViewName): string => `tab-${view}`;
export const panelId = (view: ViewName): string => `panel-${view}`;

/** Arrows go along the tabs and choose at once, as views are quick to come. */
export function makeTabs(views: readonly ViewName[], choose: (view: ViewName) => void): Tabs {
	const element = attributes(make('div', 'tabs'), { role: 'tablist', 'aria-label': 'Views' });
	const tabs = views.map((view, i) => {
		const { label, title } = REGISTRY[view];
		const tab = make('button', '', label);
		tab.type = 'button';
		tab.addEventListener('click', () => choose(view));
		return attributes(tab, {
			id: tabId(view),
			role: 'tab',
			title: `${title} (${i + 1})`,
			'aria-controls': panelId(view),
			'aria-keyshortcuts': i + 1,
		});
	});
	element.append(...tabs);
	element.addEventListener('keydown', (event) => {
		if (!rove(event, tabs)) return;
		const at = tabs.indexOf(document.activeElement as HTMLButtonElement);
		const view = views[at];
		if (view) choose(view);
		event.stopPropagation();
	});
	return {
		element,
		set(view) {
			tabs.forEach((tab, i) => {
				const chosen = views[i] === view;
				attributes(tab, { 'aria-selected': String(chosen), tabindex: chosen ? 0 : -1 });
				if (chosen) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
			});
		},
	};
}

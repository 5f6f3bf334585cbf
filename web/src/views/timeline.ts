// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeTimeline(): View {
	return {
		mount(root) {
			root.textContent = 'timeline: not yet';
		},
		update() {},
		help: [],
	};
}

// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeTreeView(): View {
	return {
		mount(root) {
			root.textContent = 'tree: not yet';
		},
		update() {},
		help: [],
	};
}

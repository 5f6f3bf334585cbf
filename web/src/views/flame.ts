// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeFlame(): View {
	return {
		mount(root) {
			root.textContent = 'flame: not yet';
		},
		update() {},
		help: [],
	};
}

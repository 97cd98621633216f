/** Placeholder. */
package org.vhostuserrng.device;

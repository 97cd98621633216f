/** Real guests under QEMU. All tests except {@code LinuxGuestIT} are tagged {@code container}. */
package org.vhostuserrng.it.guest;

/** Real guests under QEMU. All but {@code LinuxGuestIT} are tagged {@code container}. */
package org.vhostuserrng.it.guest;

/** Guest memory as a device sees it: regions, the IOMMU, the dirty page log. */
package org.vhostuserrng.transport.memory;

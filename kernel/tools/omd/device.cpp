// SPDX-License-Identifier: GPL-2.0-only
#include "omd/device.h"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace mosrig {
namespace {

Result<void> ask(int fd, unsigned long request, void* argument, const char* name) {
    if (::ioctl(fd, request, argument) != 0) {
        return fail_errno(std::string("the kernel refused ") + name, errno);
    }
    return {};
}

}  // namespace

Result<OpenMosixDevice> OpenMosixDevice::open(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.valid()) {
        const bool absent = errno == ENOENT || errno == ENXIO;
        return fail_errno(
            "cannot open " + path + (absent ? ", this kernel is no openMosix kernel" : ""), errno);
    }
    return OpenMosixDevice(std::move(fd));
}

Result<void> OpenMosixDevice::set_self(std::uint32_t id) {
    return ask(fd_.get(), OM_IOC_SELF, &id, "OM_IOC_SELF");
}

Result<void> OpenMosixDevice::set_node(const om_node& node) {
    om_node copy = node;
    return ask(fd_.get(), OM_IOC_NODE, &copy, "OM_IOC_NODE");
}

Result<om_features> OpenMosixDevice::features() {
    om_features features{};
    return ask(fd_.get(), OM_IOC_FEATURES, &features, "OM_IOC_FEATURES").map([&] {
        return features;
    });
}

Result<void> OpenMosixDevice::add_link(std::uint32_t node, int fd) {
    om_link_arg link{node, fd};
    return ask(fd_.get(), OM_IOC_LINK_ADD, &link, "OM_IOC_LINK_ADD");
}

Result<unsigned> OpenMosixDevice::idle_links(std::uint32_t node) {
    om_pool pool{node, 0};
    return ask(fd_.get(), OM_IOC_POOL, &pool, "OM_IOC_POOL").map([&] { return pool.idle; });
}

Result<void> OpenMosixDevice::set_load(const om_load& load) {
    om_load copy = load;
    return ask(fd_.get(), OM_IOC_LOAD, &copy, "OM_IOC_LOAD");
}

int OpenMosixDevice::become_body(std::uint32_t node, int fd) {
    om_link_arg link{node, fd};
    return ::ioctl(fd_.get(), OM_IOC_BODY, &link) == 0 ? 0 : errno;
}

}  // namespace mosrig

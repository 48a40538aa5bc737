// Whether a function of ours takes and returns what NVIDIA's does, as far as a call goes: as many
// parameters, each as wide, pointers where pointers are.
#pragma once
#include <type_traits>

template <class A> struct Kind {
  static constexpr int value = std::is_pointer_v<A> ? 1000 : (int)sizeof(A);
};
template <class F> struct Shape;
template <class R, class... A> struct Shape<R (*)(A...)> {
  template <class G> struct Same : std::false_type {};
  template <class Q, class... B> struct Same<Q (*)(B...)> {
    static constexpr bool value = [] {
      if constexpr (sizeof...(A) != sizeof...(B)) return false;
      else return sizeof(R) == sizeof(Q) && ((Kind<A>::value == Kind<B>::value) && ...);
    }();
  };
};

#define COMPARE(library, slot, theirs) \
  static_assert(               \
      Shape<decltype(&ours::bss_##library##_##slot)>::Same<decltype(theirs)>::value, #theirs);
